// The tables in which a SQLite destination keeps what it knows beside the rows.
#ifndef TIDEMARK_DESTINATION_SQLITE_BOOKKEEPING_H_
#define TIDEMARK_DESTINATION_SQLITE_BOOKKEEPING_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/sqlite_connection.h"

namespace tidemark {

inline constexpr int64_t kBookkeepingVersion = 1;

// Version found in _tidemark_meta; 0: the file has no bookkeeping.
absl::StatusOr<int64_t> ReadBookkeepingVersion(SqliteConnection& connection);

// Creates what is missing, in a transaction of its own. FAILED_PRECONDITION when the bookkeeping
// is of a newer engine.
absl::Status EnsureBookkeeping(SqliteConnection& connection);

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_BOOKKEEPING_H_
