// Tables that another producer of the connection has given wider types than ours are made for
// (table_owner.h).
#ifndef TIDEMARK_DESTINATION_RESHAPED_TABLES_H_
#define TIDEMARK_DESTINATION_RESHAPED_TABLES_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "destination/destination.h"
#include "destination/sqlite_catalog.h"

namespace tidemark {

// Confined to one thread.
class ReshapedTables {
 public:
  // ABORTED when a column of `used` is wider in the file: its table is noted.
  absl::Status Check(const SqliteCatalog& catalog, const TargetTable& used);
  void Note(const std::string& table) { names_.insert(table); }
  // What was noted since the last call, as it stands now.
  std::vector<StoredTable> Take(const SqliteCatalog& catalog, absl::string_view connection);

 private:
  std::set<std::string> names_;
};

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_RESHAPED_TABLES_H_
