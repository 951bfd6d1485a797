// Reading rows as they stand at the source now, for `tidemark verify` and repair: an ability like
// those of abilities.h. A connector class that also derives from RowReader offers the extension
// tidemark.read/1.
//
//   class Squares final : public tidemark::Connector, public tidemark::RowReader {
//     uint32_t ReadModes(const tidemark::Table&) override { return tidemark::kReadRanges; }
//     absl::Status ReadRows(const tidemark::ReadRequest& request, tidemark::Sink& sink) override {
//       ...for each n of the range: sink.Upsert(request.table().name(), {{"n", n}, ...});
#ifndef TIDEMARK_ROW_READER_H_
#define TIDEMARK_ROW_READER_H_

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tidemark/read_abi.h"
#include "tidemark/schema.h"
#include "tidemark/sink.h"
#include "tidemark/value.h"

namespace tidemark {
inline namespace sdk_v1 {

// How rows are read; to be combined with | in ReadModes. read_abi.h says what each promises, and
// which order ranges mean.
enum ReadMode : uint32_t {
  kReadKeys = TIDEMARK_READ_KEYS,
  kReadRanges = TIDEMARK_READ_RANGES,  // then also the whole, as a range without bounds
  kReadWhole = TIDEMARK_READ_WHOLE,
};

// Valid during ReadRows(); so is every view it returns. Thread-compatible.
class ReadRequest {
 public:
  // `table` is the one that raw.table names; `cancelled` is set when the host interrupts.
  // REQUIRES: raw has the size of this header.
  ReadRequest(const tidemark_read_request& raw, const Table& table,
              const std::atomic<bool>& cancelled)
      : raw_(raw), table_(table), cancelled_(cancelled) {}

  // As Schema() declared it.
  const Table& table() const { return table_; }
  // One of the modes that ReadModes() gave for the table.
  ReadMode mode() const { return static_cast<ReadMode>(raw_.mode); }

  // kReadKeys: the keys, each with the values of the key columns in their order.
  size_t key_count() const { return raw_.keys == nullptr ? 0 : raw_.key_count; }
  absl::Span<const Value> key(size_t i) const { return Row(raw_.keys + i * raw_.key_columns); }

  // kReadRanges: rows with lower <= key < upper. Empty: no bound.
  absl::Span<const Value> lower() const { return Row(raw_.lower); }
  absl::Span<const Value> upper() const { return Row(raw_.upper); }
  // kReadRanges: the first so many rows of the range; 0: all.
  uint64_t limit() const { return raw_.limit; }

  // Values of columns that are not selected are ignored, so asking is an optimisation.
  bool ColumnSelected(absl::string_view column) const {
    if (raw_.columns == nullptr) return true;
    const auto& columns = table_.columns();
    for (size_t i = 0; i < columns.size() && i < raw_.column_count; ++i) {
      if (columns[i].name != column) continue;
      return raw_.columns[i] != 0 || (columns[i].flags & TIDEMARK_COLUMN_KEY) != 0;
    }
    return true;
  }

  // Whether the host asked to stop. Sink calls answer CANCELLED then, too.
  bool Cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  absl::Span<const Value> Row(const tidemark_value* values) const {
    if (values == nullptr) return {};
    // Value is a tidemark_value (value.h asserts it).
    return absl::MakeConstSpan(reinterpret_cast<const Value*>(values), raw_.key_columns);
  }

  const tidemark_read_request& raw_;
  const Table& table_;
  const std::atomic<bool>& cancelled_;
};

// Reads rows beside any sync; Update() does not run on the same instance at that time.
class RowReader {
 public:
  virtual ~RowReader() = default;

  // The modes that a table of Schema() offers, 0: none. No I/O. [instance]
  virtual uint32_t ReadModes(const Table& table) = 0;

  // Puts the rows into the sink by Upsert, as Update() would send them. Sink calls that are not
  // about rows (Checkpoint, TableDone, Flush, Wait) are refused. Returns the error of a sink call
  // at once. [update]
  virtual absl::Status ReadRows(const ReadRequest& request, Sink& sink) = 0;
};

}  // namespace sdk_v1
}  // namespace tidemark

#endif  // TIDEMARK_ROW_READER_H_
