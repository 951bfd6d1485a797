// Shows rows of a batch to SQLite as a table, so that one statement applies many of them: binding
// parameters, starting and ending a statement per row costs a quarter of an upsert.
//
// A virtual table (SQLite documentation, "The Virtual Table Mechanism Of SQLite", eponymous-only)
// under a name of its own: SELECT c0, c1, ... FROM <name>.
#ifndef TIDEMARK_DESTINATION_SQLITE_ROW_SOURCE_H_
#define TIDEMARK_DESTINATION_SQLITE_ROW_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/change_batch.h"
#include "destination/sqlite_row_binder.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// last_insert_rowid is set to this before each row; an insert replaces it, an update does not.
inline constexpr int64_t kInsertSentinel = INT64_MIN;

// Confined to one thread; borrows the connection and `columns`. Statements that read it must be
// finalized before it goes.
class SqliteRowSource {
 public:
  static absl::StatusOr<std::unique_ptr<SqliteRowSource>> Create(
      SqliteConnection& connection, const std::vector<SqliteRowBinder::Column>& columns,
      SqliteRowBinder& binder);
  ~SqliteRowSource();
  SqliteRowSource(const SqliteRowSource&) = delete;
  SqliteRowSource& operator=(const SqliteRowSource&) = delete;

  const std::string& name() const { return name_; }  // quoted
  static std::string ColumnName(size_t column);

  // Rows [first, end) of `batch` are shown next; borrowed until the statement ends. Counts from 0
  // which of them left a new row behind.
  void Show(const ChangeBatch& batch, size_t first, size_t end);
  uint64_t inserted() const { return inserted_; }
  // How many rows were taken and done with.
  size_t taken() const { return next_ - first_; }

 private:
  struct Module;  // the callbacks SQLite calls

  SqliteRowSource(SqliteConnection& connection, const std::vector<SqliteRowBinder::Column>& columns,
                  SqliteRowBinder& binder);

  sqlite3* const db_;
  const std::vector<SqliteRowBinder::Column>& columns_;
  SqliteRowBinder& binder_;
  std::string module_;
  std::string name_;
  const ChangeBatch* batch_ = nullptr;
  size_t first_ = 0;
  size_t next_ = 0;  // the row that is shown now
  size_t end_ = 0;
  uint64_t inserted_ = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_ROW_SOURCE_H_
