// The tables in which a SQLite destination keeps what it knows beside the rows.
#ifndef TIDEMARK_DESTINATION_SQLITE_BOOKKEEPING_H_
#define TIDEMARK_DESTINATION_SQLITE_BOOKKEEPING_H_

#include "absl/status/status.h"
#include "state/sqlite_connection.h"
#include "state/sqlite_state_tables.h"

namespace tidemark {

// Creates all tables in a file without any, in a transaction of its own. FAILED_PRECONDITION when
// the bookkeeping is of a newer engine, DATA_LOSS when its version is gone.
absl::Status EnsureBookkeeping(SqliteConnection& connection);

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_BOOKKEEPING_H_
