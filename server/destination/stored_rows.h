// The rows of one table as a destination holds them, for comparing them with their source.
#ifndef TIDEMARK_DESTINATION_STORED_ROWS_H_
#define TIDEMARK_DESTINATION_STORED_ROWS_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "core/value.h"

namespace tidemark {

// Confined to one thread. A row has a value for each column of the TargetTable it was opened with,
// in the kind that the column's type stores; something else that stands there (written by another
// program) comes in a kind of its own, so that it equals nothing. Rows are streamed: only one is in
// memory, and it is borrowed for the call. A row marked as deleted is absent, but for ReadNewest.
class StoredRows {
 public:
  using Row = absl::FunctionRef<absl::Status(absl::Span<const Value> row)>;

  virtual ~StoredRows() = default;

  // The rows with lower <= key < upper, ascending: numbers and times by size, text and bytes by
  // their bytes. An empty bound is none. Keys have the values of the key columns in the order given
  // at opening. `row` must not call this object.
  virtual absl::Status ReadRange(absl::Span<const Value> lower, absl::Span<const Value> upper,
                                 Row row) = 0;
  // The row of this key; nothing is called when there is none.
  virtual absl::Status ReadKey(absl::Span<const Value> key, Row row) = 0;
  // The `count` rows written last, those marked as deleted too.
  virtual absl::Status ReadNewest(
      int64_t count,
      absl::FunctionRef<absl::Status(absl::Span<const Value> row, bool deleted)> row) = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_STORED_ROWS_H_
