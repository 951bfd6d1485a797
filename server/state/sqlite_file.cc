#include "state/sqlite_file.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "core/canary.h"
#include "state/file_checks.h"

namespace tidemark {
namespace {

// Of quality.md's 150 MB for server and plugin together. In KiB.
constexpr int kPageCacheKib = 48 * 1024;
// The log may grow to this many pages of 4 KiB before it is copied into the database: fewer
// copies of pages that change often.
constexpr int kCheckpointPages = 64 * 1024;

absl::Status UseWal(SqliteConnection& connection) {
  absl::StatusOr<SqliteStatement*> row = connection.Query("PRAGMA journal_mode = WAL");
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection.Next(**row);
  if (!found.ok()) return found.status();
  const std::string mode = *found ? (*row)->String(0) : "";
  // The change itself is committed behind its row.
  if (absl::Status s = connection.Finish(**row); !s.ok()) return s;
  if (mode == "wal") return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(connection.path(), " cannot use a write-ahead log (journal mode \"", mode,
                   "\"); put it on a local disk"));
}

// Reads the schema, so that a file that cannot be read is known now. The cache is used as far as
// it is needed: reading a long history meets its bodies in the order of their hashes.
absl::Status Probe(SqliteConnection& connection) {
  return connection.Execute(
      absl::StrCat("PRAGMA cache_size = -", kPageCacheKib, "; SELECT count(*) FROM sqlite_schema"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenForWriting(const std::string& path) {
  if (absl::Status s = CheckWritable(path); !s.ok()) return s;
  if (absl::Status s = CheckLocalFilesystem(path); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<SqliteConnection>> connection =
      SqliteConnection::Open(path, SqliteConnection::Mode::kReadWrite);
  if (!connection.ok()) return connection.status();
  if (sqlite3_db_readonly((*connection)->db(), "main") != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " is read-only; make the file writable for this user"));
  }
  if (absl::Status s = Probe(**connection); !s.ok()) return s;
  if (absl::Status s = UseWal(**connection); !s.ok()) return s;
  absl::Status status =
      (*connection)
          ->Execute(absl::StrCat(
              "PRAGMA synchronous = ", Canary("commit_with_synchronous_normal") ? "NORMAL" : "FULL",
              "; PRAGMA cache_size = -", kPageCacheKib,
              "; PRAGMA wal_autocheckpoint = ", kCheckpointPages, "; PRAGMA temp_store = MEMORY"));
  if (!status.ok()) return status;
  return connection;
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenForReading(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) {
    return absl::NotFoundError(absl::StrCat(path, " does not exist"));
  }
  absl::StatusOr<std::unique_ptr<SqliteConnection>> connection =
      SqliteConnection::Open(path, SqliteConnection::Mode::kReadOnly);
  if (connection.ok()) {
    absl::Status status = Probe(**connection);
    if (status.ok()) return connection;
    if (!absl::IsPermissionDenied(status)) return status;
  }
  // A log cannot be opened beside a file in a read-only folder; without one nothing is missed.
  if (access(absl::StrCat(path, "-wal").c_str(), F_OK) == 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        path, " has changes in ", path, "-wal that only a user who may write the folder can read"));
  }
  connection = SqliteConnection::Open(path, SqliteConnection::Mode::kImmutable);
  if (!connection.ok()) return connection.status();
  if (absl::Status s = Probe(**connection); !s.ok()) return s;
  return connection;
}

}  // namespace tidemark
