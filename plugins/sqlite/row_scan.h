// Walks over rows of a table in a fixed order, from any position on.
#ifndef TIDEMARK_SQLITE_ROW_SCAN_H_
#define TIDEMARK_SQLITE_ROW_SCAN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"
#include "sqlite/database.h"
#include "sqlite/table_definition.h"
#include "tidemark/value.h"

namespace tidemark::sqlite {

// Some rows of a table.
struct ScanRange {
  std::string where = "1";  // SQL over the table's columns, with ?1, ?2, .. for parameters
  std::vector<Cell> parameters = {};
  std::vector<size_t> order_by = {};  // columns before the row order; never NULL in these rows
};

// Where a scan stands: behind which row. A keyset, so rows that come and go elsewhere do not move
// it. Valid as long as the schema version is the same: VACUUM may number rows anew.
struct ScanPosition {
  int64_t schema_version = 0;
  std::vector<Cell> after;  // empty: before the first row

  nlohmann::json ToJson() const;
  // Nothing if `json` is no position.
  static std::optional<ScanPosition> FromJson(const nlohmann::json& json);
};

// Confined to one thread. Must not outlive what it was given.
class RowScan {
 public:
  // Without a transaction around it, a scan of a database that is not in WAL mode lets writers in
  // several times a second.
  RowScan(Database* database, const TableDefinition* table, ScanRange range, ScanPosition from);

  // Goes to the next row. ABORTED if the schema changed since the position was taken.
  absl::StatusOr<bool> Next();
  // The table's columns, in order; text lives until Next().
  const std::vector<Value>& row() const { return row_; }
  // Behind the row.
  ScanPosition position() const;

 private:
  absl::Status Open();
  absl::Status CheckSchema();

  Database* const database_;
  const TableDefinition* const table_;
  const ScanRange range_;
  ScanPosition from_;
  Statement statement_;
  absl::Time opened_;
  std::vector<Value> row_;
};

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_ROW_SCAN_H_
