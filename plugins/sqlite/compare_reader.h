// Finds out what changed in a table by looking at all of it.
#ifndef TIDEMARK_SQLITE_COMPARE_READER_H_
#define TIDEMARK_SQLITE_COMPARE_READER_H_

#include "absl/status/status.h"
#include "sqlite/table_run.h"

namespace tidemark::sqlite {

// Compares every row with a digest of what was delivered for its key, in one read transaction, and
// emits what is new, changed or gone. State: {"rows": n, "list": [[[key..], digest], ..]}. A list
// of more than 20,000 rows would be too much for a state, and rows without a key cannot be told
// apart: such tables are read as in full_reader.h, and the destination finds out which rows are
// equal.
absl::Status ReadByComparing(TableRun& run);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_COMPARE_READER_H_
