// State in the bookkeeping tables of a SQLite file: of a destination (beside its data) or of a file
// that holds nothing else. The same tables, written by the same code as at a sync's commit.
#ifndef TIDEMARK_STATE_SQLITE_STATE_STORE_H_
#define TIDEMARK_STATE_SQLITE_STATE_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/clock.h"
#include "state/state_store.h"

namespace tidemark {

struct SqliteStateStoreOptions {
  Clock* clock = nullptr;  // borrowed, outlives the store; null: Clock::Real()
  std::string engine;      // "tidemark 0.1.0", for messages about formats
  // Acquire makes the file, and the tables in a file without any of ours. Never makes tables anew
  // beside what the connection has synced: that is DATA_LOSS, except with OwnershipRequest.rebuild.
  bool create = false;
  // For looking only; also works on files and folders that may not be written. Acquire fails.
  bool read_only = false;
};

// Opens nothing yet: a file that is missing, damaged or of a newer engine is the error of the first
// call that needs it (NOT_FOUND, DATA_LOSS, FAILED_PRECONDITION).
//
// As holder this store takes the same lock as a sync into that file (state/connection_lock.h).
// Append() returns FAILED_PRECONDITION without Acquire().
absl::StatusOr<std::unique_ptr<StateStore>> OpenSqliteStateStore(
    const std::string& path, const std::string& connection, const SqliteStateStoreOptions& options);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_SQLITE_STATE_STORE_H_
