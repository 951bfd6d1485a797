// Reads the rows of a table above a number that grows.
#ifndef TIDEMARK_SQLITE_VERSION_READER_H_
#define TIDEMARK_SQLITE_VERSION_READER_H_

#include "absl/status/status.h"
#include "sqlite/table_run.h"

namespace tidemark::sqlite {

// Method version: a column that gets a larger number, of the whole table, with every change; its
// lower edge is inclusive, rows at it are recognised by a digest. Method keyset: a column that only
// new rows get larger numbers in; its lower edge is exclusive. SQLite has one writer at a time, so
// numbers it hands out become visible in their order.
//
// All in one read transaction, in which the rows behind the cursor are counted, too. There can be
// fewer than in the last run, never more: more, or no number at or above the cursor, means that the
// numbers began anew or are not of the whole table. Then the table is read as a whole, with a
// warning.
//
// State: {"field", "cursor": n, "below": rows behind the cursor, "seen": [[digest, n], ..]}; inside
// a run also "pass": {"stage", "position", "newest"}.
absl::Status ReadVersions(TableRun& run);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_VERSION_READER_H_
