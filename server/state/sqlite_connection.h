// One SQLite connection and its prepared statements, with errors as absl::Status that name the
// file and what to do about it.
#ifndef TIDEMARK_STATE_SQLITE_CONNECTION_H_
#define TIDEMARK_STATE_SQLITE_CONNECTION_H_

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/checkpoint.h"

namespace tidemark {

// How long another program may hold the file's write lock before we give up.
inline constexpr int kSqliteBusyTimeoutMs = 10'000;

// Bytes bound as a BLOB; borrowed.
struct SqliteBlob {
  absl::string_view bytes;
};

// Microseconds bound as INTEGER, kNoTime as NULL.
struct SqliteTime {
  int64_t us;
};

// Owns a prepared statement. Bound text is borrowed until the next Reset. Confined to one thread.
class SqliteStatement {
 public:
  SqliteStatement() = default;
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  ~SqliteStatement() { sqlite3_finalize(statement_); }
  SqliteStatement(SqliteStatement&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)) {}
  SqliteStatement& operator=(SqliteStatement&& other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
  }

  sqlite3_stmt* get() const { return statement_; }
  explicit operator bool() const { return statement_ != nullptr; }

  // SQLITE_ROW, SQLITE_DONE or an error code.
  int Step() { return sqlite3_step(statement_); }
  void Reset() { sqlite3_reset(statement_); }

  // Columns of the current row, from 0. Text and bytes live until the next Step or Reset.
  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  absl::string_view Text(int column) const;
  std::string String(int column) const { return std::string(Text(column)); }
  absl::string_view Bytes(int column) const;
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

  void Bind(int index, int64_t value) { sqlite3_bind_int64(statement_, index, value); }
  void Bind(int index, int value) { sqlite3_bind_int64(statement_, index, value); }
  void Bind(int index, uint32_t value) { sqlite3_bind_int64(statement_, index, value); }
  void Bind(int index, uint64_t value) {
    sqlite3_bind_int64(statement_, index, static_cast<int64_t>(value));
  }
  void Bind(int index, bool value) { sqlite3_bind_int64(statement_, index, value ? 1 : 0); }
  void Bind(int index, absl::string_view value);
  void Bind(int index, const std::string& value) { Bind(index, absl::string_view(value)); }
  void Bind(int index, const char* value) { Bind(index, absl::string_view(value)); }
  void Bind(int index, SqliteBlob value);
  void Bind(int index, SqliteTime value) {
    value.us == kNoTime ? Bind(index, std::nullopt) : Bind(index, value.us);
  }
  void Bind(int index, std::nullopt_t) { sqlite3_bind_null(statement_, index); }
  template <typename T>
  void Bind(int index, const std::optional<T>& value) {
    value.has_value() ? Bind(index, *value) : Bind(index, std::nullopt);
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

// Confined to one thread. Statements obtained from it must not outlive it.
class SqliteConnection {
 public:
  enum class Mode { kReadWrite, kReadOnly, kImmutable };

  // Opens `path`; kReadWrite creates the file. Nothing is read yet.
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path, Mode mode);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  sqlite3* db() const { return db_; }
  const std::string& path() const { return path_; }
  // True while no transaction is open. After an error SQLite may have rolled back by itself; this
  // decides (semantics.md section 6).
  bool autocommit() const { return sqlite3_get_autocommit(db_) != 0; }

  absl::StatusOr<SqliteStatement> Prepare(absl::string_view sql);
  // Runs statements without parameters or rows.
  absl::Status Execute(const std::string& sql);

  // Runs one cached statement to its end; any rows are ignored.
  template <typename... Args>
  absl::Status Run(absl::string_view sql, const Args&... args) {
    absl::StatusOr<SqliteStatement*> statement = Query(sql, args...);
    return statement.ok() ? Finish(**statement) : statement.status();
  }
  // A cached statement with its parameters bound, before its first row. Use Next() to walk it; it
  // stays valid until the same text is queried again or DropStatements(). The arguments must
  // outlive the walk.
  template <typename... Args>
  absl::StatusOr<SqliteStatement*> Query(absl::string_view sql, const Args&... args) {
    absl::StatusOr<SqliteStatement*> statement = Cached(sql);
    if (!statement.ok()) return statement;
    int index = 0;
    ((*statement)->Bind(++index, args), ...);
    return statement;
  }
  // True: a row. False: the end, and the statement is reset.
  absl::StatusOr<bool> Next(SqliteStatement& statement);
  // Steps to the end and resets.
  absl::Status Finish(SqliteStatement& statement);
  // Exchanges the open files; REQUIRES: both have dropped their statements.
  void Swap(SqliteConnection& other) { std::swap(db_, other.db_); }
  // Forgets every cached statement.
  void DropStatements() { statements_.clear(); }

  // The last error of this connection as a status.
  absl::Status Error() const;

 private:
  SqliteConnection(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}
  absl::StatusOr<SqliteStatement*> Cached(absl::string_view sql);

  sqlite3* db_;
  const std::string path_;
  // std containers here and in destination/: Abseil's do not survive a failed allocation.
  std::map<std::string, std::unique_ptr<SqliteStatement>, std::less<>> statements_;
};

// True for errors that concern one row only (constraint, size, type): the transaction goes on.
bool IsRowError(int code);
// What an extended result code means for the file at `path`; `system_errno` 0: unknown.
absl::Status SqliteError(int code, absl::string_view text, absl::string_view path,
                         int system_errno);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_SQLITE_CONNECTION_H_
