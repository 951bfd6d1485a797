// Opening a database file of ours: checks, WAL, durability and cache settings.
#ifndef TIDEMARK_STATE_SQLITE_FILE_H_
#define TIDEMARK_STATE_SQLITE_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// A connection for writing; errors say what to do about the file.
absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenForWriting(const std::string& path);

// A connection for reading beside a writer, also of a read-only file. NOT_FOUND: no such file.
absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenForReading(const std::string& path);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_SQLITE_FILE_H_
