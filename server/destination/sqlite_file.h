// Opening the file of a SQLite destination: checks, WAL, durability and cache settings.
#ifndef TIDEMARK_DESTINATION_SQLITE_FILE_H_
#define TIDEMARK_DESTINATION_SQLITE_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "destination/sqlite_connection.h"

namespace tidemark {

// A connection for writing; the statuses of OpenSqliteDestination.
absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenForWriting(const std::string& path);

// A connection for reading beside a writer, also of a read-only file. NOT_FOUND: no such file.
absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenForReading(const std::string& path);

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_FILE_H_
