// Rewriting what is stored when a column's type widens.
#ifndef TIDEMARK_DESTINATION_SQLITE_REBUILD_H_
#define TIDEMARK_DESTINATION_SQLITE_REBUILD_H_

#include <vector>

#include "absl/status/status.h"
#include "core/type.h"
#include "destination/sqlite_catalog.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// One column whose type widens.
struct Widening {
  size_t column = 0;  // of stored.table.columns
  DataType from = DataType::kUndeclared;
  DataType to = DataType::kUndeclared;
};

// Rewrites the stored values of `widenings` inside the open transaction. Columns without a
// declared type take one UPDATE; where a declared type changes, the whole table is rebuilt with its
// indexes and triggers, and table->storage says so afterwards. FAILED_PRECONDITION names a view
// or a column in the way of a rebuild.
absl::Status WidenColumns(SqliteConnection& connection, SqliteTable* table,
                          const std::vector<Widening>& widenings);

// CREATE TABLE for `table` under another name; every column in order, then the system columns.
std::string CreateTableSql(const SqliteTable& table, absl::string_view name);

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_REBUILD_H_
