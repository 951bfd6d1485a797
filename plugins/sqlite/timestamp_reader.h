// Reads the rows of a table that changed since a time.
#ifndef TIDEMARK_SQLITE_TIMESTAMP_READER_H_
#define TIDEMARK_SQLITE_TIMESTAMP_READER_H_

#include "absl/status/status.h"
#include "sqlite/table_run.h"

namespace tidemark::sqlite {

// The portable algorithm for a column that says when a row changed:
// - The lower edge of a run is the cursor, cut to the precision of the column's times, less the
//   tolerance, and inclusive: rows that share the cursor's time may still come. Rows that were
//   delivered already are recognised by a digest of all their values.
// - The cursor never gets closer to the beginning of the run than `settle`: a transaction that is
//   still open then commits rows with older times. Newer rows are delivered, and read again.
// - Rows whose time is missing, unreadable or in the future never move the cursor and are
//   delivered.
// - Inside a run the table is walked by keyset (time as stored, row): rows that change meanwhile
//   neither hide nor move others, so that no transaction has to be held.
//
// State: {"field", "cursor": "2024-01-15T10:30:00.000000Z", "precision": "seconds", "seen":
// [[digest, us], ..]}; inside a run also "pass": {"settled", "newest", "precision", "stage",
// "position"}.
absl::Status ReadTimestamp(TableRun& run);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_TIMESTAMP_READER_H_
