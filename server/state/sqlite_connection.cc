#include "state/sqlite_connection.h"

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace tidemark {

absl::string_view SqliteStatement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return absl::string_view();
  return absl::string_view(reinterpret_cast<const char*>(text),
                           static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

absl::string_view SqliteStatement::Bytes(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);
  if (bytes == nullptr) return absl::string_view();
  return absl::string_view(static_cast<const char*>(bytes),
                           static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

void SqliteStatement::Bind(int index, absl::string_view value) {
  // A null pointer would bind NULL instead of the empty text.
  sqlite3_bind_text64(statement_, index, value.data() == nullptr ? "" : value.data(), value.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}

void SqliteStatement::Bind(int index, SqliteBlob value) {
  sqlite3_bind_blob64(statement_, index, value.bytes.data() == nullptr ? "" : value.bytes.data(),
                      value.bytes.size(), SQLITE_STATIC);
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path,
                                                                         Mode mode) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  std::string name = path;
  if (mode == Mode::kReadWrite) {
    flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  } else {
    flags |= SQLITE_OPEN_READONLY;
  }
  if (mode == Mode::kImmutable) {
    flags |= SQLITE_OPEN_URI;
    std::string escaped;
    for (char c : path) {
      c == '%' || c == '?' || c == '#' ? absl::StrAppend(&escaped, "%", absl::Hex(c))
                                       : absl::StrAppend(&escaped, absl::string_view(&c, 1));
    }
    name = absl::StrCat("file:", escaped, "?immutable=1");
  }
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &db, flags, nullptr);
  if (code != SQLITE_OK) {
    absl::Status status = SqliteError(code, db == nullptr ? "" : sqlite3_errmsg(db), path,
                                      db == nullptr ? 0 : sqlite3_system_errno(db));
    sqlite3_close(db);
    return status;
  }
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(db, path));
  sqlite3_busy_timeout(db, kSqliteBusyTimeoutMs);
  return connection;
}

SqliteConnection::~SqliteConnection() {
  statements_.clear();
  sqlite3_close_v2(db_);
}

absl::StatusOr<SqliteStatement> SqliteConnection::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return Error();
  return SqliteStatement(statement);
}

absl::Status SqliteConnection::Execute(const std::string& sql) {
  if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return Error();
  return absl::OkStatus();
}

absl::StatusOr<SqliteStatement*> SqliteConnection::Cached(absl::string_view sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    absl::StatusOr<SqliteStatement> statement = Prepare(sql);
    if (!statement.ok()) return statement.status();
    found = statements_
                .emplace(std::string(sql), std::make_unique<SqliteStatement>(*std::move(statement)))
                .first;
  }
  found->second->Reset();
  return found->second.get();
}

absl::StatusOr<bool> SqliteConnection::Next(SqliteStatement& statement) {
  const int code = statement.Step();
  if (code == SQLITE_ROW) return true;
  absl::Status status = code == SQLITE_DONE ? absl::OkStatus() : Error();
  statement.Reset();
  if (!status.ok()) return status;
  return false;
}

absl::Status SqliteConnection::Finish(SqliteStatement& statement) {
  while (true) {
    absl::StatusOr<bool> row = Next(statement);
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
  }
}

absl::Status SqliteConnection::Error() const {
  return SqliteError(sqlite3_extended_errcode(db_), sqlite3_errmsg(db_), path_,
                     sqlite3_system_errno(db_));
}

bool IsRowError(int code) {
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return true;
    default:
      return false;
  }
}

absl::Status SqliteError(int code, absl::string_view text, absl::string_view path,
                         int system_errno) {
  const int primary = code & 0xff;
  const bool no_space = system_errno == ENOSPC || system_errno == EDQUOT;
  if (primary == SQLITE_FULL || (primary == SQLITE_IOERR && no_space)) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the disk of ", path, " is full; free some space and run again (", text, ")"));
  }
  switch (primary) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat(
          path, " is locked by another program for more than ", kSqliteBusyTimeoutMs / 1000,
          " s; close what writes to it and run again (", text, ")"));
    case SQLITE_IOERR:
      return absl::UnavailableError(absl::StrCat(
          "I/O error on ", path, "; check the disk and the kernel's log, then run again (", text,
          ", code ", code, ")"));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::PermissionDeniedError(absl::StrCat(
          path, " cannot be written; make the file and its folder writable for this user (", text,
          ")"));
    case SQLITE_CANTOPEN:
      return absl::PermissionDeniedError(absl::StrCat(
          path,
          " cannot be opened; check that it is a file, and that this user may read and "
          "write it and its folder (",
          text, ")"));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(absl::StrCat(
          path,
          " is damaged or is no SQLite database; nothing was changed: restore a backup of "
          "it or choose another path (",
          text, ")"));
    case SQLITE_NOMEM:
      return absl::ResourceExhaustedError(absl::StrCat("out of memory writing ", path));
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return absl::InvalidArgumentError(absl::StrCat("SQLite refuses the row: ", text));
    default:
      return absl::InternalError(
          absl::StrCat("SQLite on ", path, ": ", text, " (code ", code, ")"));
  }
}

}  // namespace tidemark
