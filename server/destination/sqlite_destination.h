// Opens SQLite files as destinations (semantics.md sections 2-7 for SQLite, protocol A).
#ifndef TIDEMARK_DESTINATION_SQLITE_DESTINATION_H_
#define TIDEMARK_DESTINATION_SQLITE_DESTINATION_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/clock.h"
#include "destination/destination.h"
#include "destination/destination_reader.h"

namespace tidemark {

struct SqliteOptions {
  std::string path;        // of the database file; created when it does not exist
  std::string engine;      // "tidemark 0.1.0", stored with each state version
  Clock* clock = nullptr;  // borrowed, outlives the destination; null: Clock::Real()
};

// Opens or creates the file: WAL, synchronous=FULL. Errors name the path and what to do:
// PERMISSION_DENIED (read-only file or folder), DATA_LOSS (damaged or no database),
// FAILED_PRECONDITION (network filesystem, bookkeeping of a newer engine), RESOURCE_EXHAUSTED
// (disk full), UNAVAILABLE (locked).
absl::StatusOr<std::unique_ptr<Destination>> OpenSqliteDestination(const SqliteOptions& options);

// Opens an existing file for reading beside a running sync. NOT_FOUND when it does not exist.
absl::StatusOr<std::unique_ptr<DestinationReader>> OpenSqliteReader(const std::string& path);

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_DESTINATION_H_
