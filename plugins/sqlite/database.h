// A source database file, its statements and its errors.
#ifndef TIDEMARK_SQLITE_DATABASE_H_
#define TIDEMARK_SQLITE_DATABASE_H_

#include <sqlite3.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sqlite/cell.h"
#include "tidemark/value.h"

namespace tidemark::sqlite {

class Database;

// A prepared statement. Must not outlive its Database. Confined to one thread.
class Statement {
 public:
  Statement() = default;
  Statement(Database* database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(Statement&& other) noexcept
      : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(database_, other.database_);
    std::swap(statement_, other.statement_);
    return *this;
  }

  explicit operator bool() const { return statement_ != nullptr; }
  sqlite3_stmt* get() const { return statement_; }

  // Parameters, from 1; texts are copied.
  Statement& Bind(int index, const Cell& cell);
  Statement& Bind(int index, int64_t value) { return Bind(index, Cell::Integer(value)); }
  Statement& Bind(int index, absl::string_view text) { return Bind(index, Cell::Text(text)); }

  // True: a row. False: the end.
  absl::StatusOr<bool> Step();
  // Steps to the end and resets.
  absl::Status Finish();
  void Reset() { sqlite3_reset(statement_); }

  // Columns of the row, from 0; views live until the next Step or Reset.
  int column_count() const { return sqlite3_column_count(statement_); }
  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  absl::string_view Text(int column) const;
  Value ToValue(int column) const;
  Cell ToCell(int column) const;

 private:
  Database* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

// One connection to the file. Confined to one thread, but for Interrupt().
class Database {
 public:
  enum class Access { kRead, kWrite };

  // Never creates the file. Another program's lock is waited for up to `busy_timeout`, then
  // UNAVAILABLE. kRead opens the file read-only; where its last writer was killed in the middle of
  // a transaction, that one is rolled back first, as SQLite wants it. FAILED_PRECONDITION: the file
  // may not be written to, so that nobody can.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path, Access access,
                                                        absl::Duration busy_timeout);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  absl::StatusOr<Statement> Prepare(absl::string_view sql);
  absl::Status Execute(const std::string& sql);
  // The first column of the first row, NULL if there is no row.
  absl::StatusOr<Cell> Scalar(absl::string_view sql, const std::vector<Cell>& parameters = {});
  absl::StatusOr<int64_t> Number(absl::string_view sql, const std::vector<Cell>& parameters = {});

  // Changes with every change of the schema and with VACUUM, which may number rows anew.
  absl::StatusOr<int64_t> SchemaVersion() { return Number("PRAGMA schema_version"); }
  // Whether readers and a writer get along (journal_mode WAL).
  bool wal() const { return wal_; }
  const std::string& path() const { return path_; }
  sqlite3* handle() const { return db_; }

  // Ends what is running with CANCELLED; nothing runs afterwards. Thread-safe.
  void Interrupt();
  // The last error of this connection: what happened and what to do.
  absl::Status Error() const;

 private:
  Database(sqlite3* db, std::string path, absl::Duration busy_timeout)
      : db_(db), path_(std::move(path)), busy_timeout_(busy_timeout) {}
  static absl::StatusOr<std::unique_ptr<Database>> OpenOnce(const std::string& path, Access access,
                                                            absl::Duration busy_timeout,
                                                            bool* needs_recovery);
  static int Busy(void* self, int calls);

  sqlite3* const db_;
  const std::string path_;
  const absl::Duration busy_timeout_;
  bool wal_ = false;
  std::atomic<bool> interrupted_ = false;
  absl::Time busy_since_;
};

// A transaction that sees one state of the database; rolled back at its end unless committed.
class Transaction {
 public:
  static absl::StatusOr<Transaction> Read(Database& database);
  // Takes the write lock at once.
  static absl::StatusOr<Transaction> Write(Database& database);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;

  absl::Status Commit();

 private:
  explicit Transaction(Database* database) : database_(database) {}
  Database* database_;  // null: ended
};

// "name", with quotes inside doubled.
std::string Quoted(absl::string_view name);
// 'text', with quotes inside doubled.
std::string Literal(absl::string_view text);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_DATABASE_H_
