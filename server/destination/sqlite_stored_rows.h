// StoredRows over a table of a SQLite file.
#ifndef TIDEMARK_DESTINATION_SQLITE_STORED_ROWS_H_
#define TIDEMARK_DESTINATION_SQLITE_STORED_ROWS_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "destination/destination.h"
#include "destination/stored_rows.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// Borrows the connection. `key`: indices of the key columns in table.columns. A column of the table
// that does not stand in the file is NULL. NOT_FOUND when there is no such table in the file.
absl::StatusOr<std::unique_ptr<StoredRows>> OpenSqliteStoredRows(SqliteConnection& connection,
                                                                 const TargetTable& table,
                                                                 const std::vector<size_t>& key);

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_STORED_ROWS_H_
