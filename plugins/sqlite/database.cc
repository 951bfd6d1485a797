#include "sqlite/database.h"

#include <algorithm>
#include <limits>

#include "absl/memory/memory.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"

namespace tidemark::sqlite {
namespace {

absl::string_view View(const void* bytes, int size) {
  return bytes == nullptr
             ? absl::string_view("", 0)
             : absl::string_view(static_cast<const char*>(bytes), static_cast<size_t>(size));
}

// A program was killed in the middle of a transaction; whoever reads next has to undo its half,
// which takes writing.
bool NeedsRecovery(int code) {
  return code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_RECOVERY;
}

absl::Status ErrorOf(int code, absl::string_view text, const std::string& path) {
  const auto say = [&](absl::string_view what) {
    return absl::StrCat("database ", path, ": ", what, " (", text, ")");
  };
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(say("another program holds its lock"));
    case SQLITE_INTERRUPT:
      return absl::CancelledError("interrupted");
    case SQLITE_CANTOPEN:
      return absl::FailedPreconditionError(
          say("it cannot be opened: check the path, its permissions and, for a database in WAL "
              "mode, that its folder may be written to"));
    case SQLITE_NOTADB:
      return absl::FailedPreconditionError(say("the file is not a SQLite database"));
    case SQLITE_CORRUPT:
      return absl::DataLossError(say("the file is damaged: restore it, or run .recover on it"));
    case SQLITE_READONLY:
      if (NeedsRecovery(code)) {
        return absl::FailedPreconditionError(
            say("its last writer was killed, and its journal could not be rolled back: open it "
                "once with a program that may write to the file and its folder"));
      }
      [[fallthrough]];
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::PermissionDeniedError(say("this is not allowed"));
    case SQLITE_NOMEM:
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(say("no memory or no space is left"));
    case SQLITE_IOERR:
    case SQLITE_PROTOCOL:
      return absl::UnavailableError(say("it cannot be read"));
    default:
      return absl::FailedPreconditionError(say("the statement was refused"));
  }
}

}  // namespace

Statement& Statement::Bind(int index, const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::kNull:
      sqlite3_bind_null(statement_, index);
      break;
    case Cell::Kind::kInteger:
      sqlite3_bind_int64(statement_, index, cell.integer);
      break;
    case Cell::Kind::kReal:
      sqlite3_bind_double(statement_, index, cell.real);
      break;
    case Cell::Kind::kText:
      sqlite3_bind_text64(statement_, index, cell.bytes.data(), cell.bytes.size(), SQLITE_TRANSIENT,
                          SQLITE_UTF8);
      break;
    case Cell::Kind::kBlob:
      sqlite3_bind_blob64(statement_, index, cell.bytes.data(), cell.bytes.size(),
                          SQLITE_TRANSIENT);
      break;
  }
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  absl::Status error = database_->Error();
  sqlite3_reset(statement_);
  return error;
}

absl::Status Statement::Finish() {
  for (;;) {
    absl::StatusOr<bool> row = Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
  }
  Reset();
  return absl::OkStatus();
}

absl::string_view Statement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  return View(text, sqlite3_column_bytes(statement_, column));
}

Value Statement::ToValue(int column) const {
  switch (sqlite3_column_type(statement_, column)) {
    case SQLITE_INTEGER:
      return int64_t{sqlite3_column_int64(statement_, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement_, column);
    case SQLITE_TEXT:
      return Text(column);
    case SQLITE_BLOB: {
      const void* bytes = sqlite3_column_blob(statement_, column);
      return Value::Bytes(View(bytes, sqlite3_column_bytes(statement_, column)));
    }
    default:
      return Value::Null();
  }
}

Cell Statement::ToCell(int column) const { return sqlite::ToCell(ToValue(column)); }

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path, Access access,
                                                         absl::Duration busy_timeout) {
  bool needs_recovery = false;
  auto database = OpenOnce(path, access, busy_timeout, &needs_recovery);
  if (database.ok() || !needs_recovery || access == Access::kWrite) return database;
  // What any program that opens the file for writing does first: nothing committed changes.
  auto recovered = OpenOnce(path, Access::kWrite, busy_timeout, &needs_recovery);
  if (!recovered.ok()) return database;
  recovered->reset();
  return OpenOnce(path, access, busy_timeout, &needs_recovery);
}

absl::StatusOr<std::unique_ptr<Database>> Database::OpenOnce(const std::string& path, Access access,
                                                             absl::Duration busy_timeout,
                                                             bool* needs_recovery) {
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (access == Access::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  const int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  auto database = absl::WrapUnique(new Database(db, path, busy_timeout));
  if (code != SQLITE_OK) return ErrorOf(code, db == nullptr ? "" : sqlite3_errmsg(db), path);
  sqlite3_busy_handler(db, &Busy, database.get());
  // sqlite3_interrupt() is lost on a statement that is just about to begin.
  sqlite3_progress_handler(
      db, 10'000,
      [](void* self) { return static_cast<Database*>(self)->interrupted_.load() ? 1 : 0; },
      database.get());
  // A schema is only as trustworthy as who wrote the file.
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  if (access == Access::kRead) {
    if (absl::Status s = database->Execute("PRAGMA query_only = 1"); !s.ok()) return s;
  }
  // The first statement that reads the file.
  absl::StatusOr<Cell> mode = database->Scalar("PRAGMA journal_mode");
  if (mode.ok()) {
    database->wal_ = mode->bytes == "wal";
    if (auto version = database->SchemaVersion(); version.ok()) return database;
  }
  *needs_recovery = NeedsRecovery(sqlite3_extended_errcode(db));
  return database->Error();
}

Database::~Database() { sqlite3_close_v2(db_); }

int Database::Busy(void* self, int calls) {
  auto* database = static_cast<Database*>(self);
  if (calls == 0) database->busy_since_ = absl::Now();
  if (database->interrupted_.load() ||
      absl::Now() - database->busy_since_ > database->busy_timeout_) {
    return 0;
  }
  absl::SleepFor(absl::Milliseconds(std::min(1 + calls, 20)));
  return 1;
}

void Database::Interrupt() {
  interrupted_.store(true);
  sqlite3_interrupt(db_);
}

absl::Status Database::Error() const {
  if (interrupted_.load()) return absl::CancelledError("interrupted");
  return ErrorOf(sqlite3_extended_errcode(db_), sqlite3_errmsg(db_), path_);
}

absl::StatusOr<Statement> Database::Prepare(absl::string_view sql) {
  if (interrupted_.load()) return absl::CancelledError("interrupted");
  if (sql.size() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError("a statement is too long");
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr) !=
      SQLITE_OK) {
    return Error();
  }
  return Statement(this, statement);
}

absl::Status Database::Execute(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return Error();
  return absl::OkStatus();
}

absl::StatusOr<Cell> Database::Scalar(absl::string_view sql, const std::vector<Cell>& parameters) {
  absl::StatusOr<Statement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  int index = 0;
  for (const Cell& cell : parameters) statement->Bind(++index, cell);
  absl::StatusOr<bool> row = statement->Step();
  if (!row.ok()) return row.status();
  return *row ? statement->ToCell(0) : Cell::Null();
}

absl::StatusOr<int64_t> Database::Number(absl::string_view sql,
                                         const std::vector<Cell>& parameters) {
  absl::StatusOr<Cell> cell = Scalar(sql, parameters);
  if (!cell.ok()) return cell.status();
  return cell->integer;
}

absl::StatusOr<Transaction> Transaction::Read(Database& database) {
  if (absl::Status s = database.Execute("BEGIN"); !s.ok()) return s;
  Transaction transaction(&database);
  // The state that is seen is that of the first read.
  if (auto version = database.SchemaVersion(); !version.ok()) return version.status();
  return transaction;
}

absl::StatusOr<Transaction> Transaction::Write(Database& database) {
  if (absl::Status s = database.Execute("BEGIN IMMEDIATE"); !s.ok()) return s;
  return Transaction(&database);
}

Transaction::~Transaction() {
  if (database_ == nullptr) return;
  sqlite3* db = database_->handle();
  if (sqlite3_get_autocommit(db) == 0) sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
}

absl::Status Transaction::Commit() {
  absl::Status status = database_->Execute("COMMIT");
  if (status.ok()) database_ = nullptr;
  return status;
}

std::string Quoted(absl::string_view name) {
  return absl::StrCat("\"", absl::StrReplaceAll(name, {{"\"", "\"\""}}), "\"");
}

std::string Literal(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "''"}}), "'");
}

}  // namespace tidemark::sqlite
