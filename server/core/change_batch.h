// Changes of one table crossing an interface together, row-major.
#ifndef TIDEMARK_CORE_CHANGE_BATCH_H_
#define TIDEMARK_CORE_CHANGE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "core/value.h"

namespace tidemark {

// The numbers are those of plugin_abi.h and never change.
enum class ChangeKind : uint8_t {
  kUpsert = 1,
  kUpdate = 2,
  kDelete = 3,
  kTruncate = 4,
  kSnapshot = 5,
};
// Bit of an op byte beside its ChangeKind: a bad row becomes a dead letter under either on_error.
inline constexpr uint8_t kOnErrorContinue = 0x80;

inline constexpr int64_t kUnknownEventTime = std::numeric_limits<int64_t>::min();

// The stamp of one change: its place in the order of the source.
struct RowMeta {
  int64_t event_time_us = kUnknownEventTime;  // Unix microseconds UTC
  uint64_t sequence = 0;                      // 0: none; rows that swap their keys have one
  uint64_t subsequence = 0;
};

// Keeps the bytes alive that the values of a batch view (a decoded message, an arena).
class BatchBytes {
 public:
  virtual ~BatchBytes() = default;
};

// Movable, not copyable. The text of every value is owned by `bytes` and lives as long as the
// batch. Thread-compatible.
struct ChangeBatch {
  uint32_t table = 0;  // index in the source's schema (after conforming: TableHandle)
  uint32_t row_count = 0;
  uint32_t column_count = 0;          // the table's first column_count columns
  std::vector<uint8_t> ops;           // [row_count] ChangeKind | kOnErrorContinue
  std::vector<Value> values;          // row-major [row_count x column_count]
  std::vector<RowMeta> meta;          // [row_count] or empty: no stamps
  std::vector<uint32_t> before_rows;  // ascending row numbers that carry old values
  std::vector<Value> before;          // row-major [before_rows.size() x column_count]
  size_t encoded_bytes = 0;           // size on the wire, for the limits of a commit group
  std::vector<std::unique_ptr<BatchBytes>> bytes;

  ChangeKind kind(size_t row) const { return static_cast<ChangeKind>(ops[row] & 0x7f); }
  bool on_error_continue(size_t row) const { return (ops[row] & kOnErrorContinue) != 0; }
  absl::Span<const Value> row(size_t i) const {
    return absl::MakeConstSpan(values).subspan(i * column_count, column_count);
  }
  absl::Span<Value> mutable_row(size_t i) {
    return absl::MakeSpan(values).subspan(i * column_count, column_count);
  }
  // `i` counts before_rows, not rows.
  absl::Span<const Value> before_row(size_t i) const {
    return absl::MakeConstSpan(before).subspan(i * column_count, column_count);
  }
};

}  // namespace tidemark

#endif  // TIDEMARK_CORE_CHANGE_BATCH_H_
