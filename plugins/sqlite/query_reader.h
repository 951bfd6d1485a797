// Reads what a user's query gives.
#ifndef TIDEMARK_SQLITE_QUERY_READER_H_
#define TIDEMARK_SQLITE_QUERY_READER_H_

#include "absl/status/status.h"
#include "sqlite/table_run.h"

namespace tidemark::sqlite {

// One read-only statement, run as it is given inside of another one that sorts its rows. Its
// parameters: :now; :last_sync, the beginning of the last poll less 5 seconds or, with
// query_cursor_field, the largest value that was read in that column (if it is a time, of those
// that are older than 5 seconds); :batch_size, the rows of a page, only with query_cursor_field:
// it is run again until it gives less than a page. Rows that were in the last poll already are
// recognised by a digest. What is gone is not found out.
//
// State: {"last": time of the poll, or a value of the column, "seen": [[digest, null], ..]}.
absl::Status ReadQueryRows(TableRun& run);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_QUERY_READER_H_
