// What the other tables of a SQLite destination say about the state that stands beside them: who
// synced what, and whether its tables still have the shape in which they were left. Works on files
// whose state tables are damaged or gone.
#ifndef TIDEMARK_DESTINATION_SQLITE_WITNESS_H_
#define TIDEMARK_DESTINATION_SQLITE_WITNESS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tidemark {

// A table that is not as the last sync left it.
struct AlteredTable {
  std::string table;
  std::string source_name;
  bool gone = false;
  bool key_altered = false;          // its key columns or their order are others
  std::vector<std::string> missing;  // columns, none of the key
};

struct SqliteWitness {
  bool synced = false;                    // a table of the connection is there, or was
  std::string sync_id;                    // the newest sync whose report is there; may be empty
  std::string report_json;                // of that sync
  std::vector<std::string> syncs;         // ids, newest first, at most kWitnessedSyncs
  std::vector<std::string> source_names;  // of every table of the connection
  std::vector<AlteredTable> altered;
};

inline constexpr size_t kWitnessedSyncs = 5000;

// Reads only. NOT_FOUND: the file does not exist. DATA_LOSS: it is damaged.
absl::StatusOr<SqliteWitness> ReadWitness(const std::string& path, const std::string& connection);

// Creates the missing columns again, empty, in one transaction. REQUIRES: no table is gone, no key
// altered. UNAVAILABLE: somebody writes to the file.
absl::Status RestoreColumns(const std::string& path, const std::vector<AlteredTable>& altered);

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_WITNESS_H_
