// Reads every row of a table.
#ifndef TIDEMARK_SQLITE_FULL_READER_H_
#define TIDEMARK_SQLITE_FULL_READER_H_

#include <cstdint>

#include "absl/status/status.h"
#include "sqlite/table_run.h"

namespace tidemark::sqlite {

// A truncate and all rows, out of one read transaction: what is not there any more is deleted at
// the destination when the sync succeeds. State: {"rows": n}, and while reading {"pass":
// position, "sync": id}: another attempt of the same sync goes on there. Rows that move from one
// side of that place to the other in between are right after the next sync.
absl::Status ReadFull(TableRun& run);

// FAILED_PRECONDITION when of `before` rows so many are gone that it looks like an accident.
absl::Status GuardDeletes(const TableRun& run, uint64_t before, uint64_t gone);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_FULL_READER_H_
