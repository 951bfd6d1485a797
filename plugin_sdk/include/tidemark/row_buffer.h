// Rows of one table on their way to the host. Used by Sink; authors do not need it.
#ifndef TIDEMARK_ROW_BUFFER_H_
#define TIDEMARK_ROW_BUFFER_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/schema.h"
#include "tidemark/value.h"

namespace tidemark {
inline namespace sdk_v1 {
namespace internal {

inline constexpr size_t kBatchRows = 1000;
inline constexpr size_t kBatchBytes = 256 * 1024;
inline constexpr size_t kValueBytes = 8;  // what a value counts beside its text

// Copies of rows in the shape of tidemark_batch, with the table's place and columns. A row costs
// no allocation: one block holds the text of a batch, a larger row gets a block of its own.
// Confined to [update].
class RowBuffer {
 public:
  RowBuffer(uint32_t index, Table table) : index_(index), table_(std::move(table)) {
    IndexColumns();
  }
  RowBuffer(const RowBuffer&) = delete;
  RowBuffer& operator=(const RowBuffer&) = delete;

  uint32_t index() const { return index_; }
  const Table& table() const { return table_; }
  size_t column_count() const { return column_count_; }
  size_t row_count() const { return row_count_; }
  size_t byte_count() const { return text_bytes_ + row_count_ * column_count() * kValueBytes; }

  // Takes the definition that the host accepted. REQUIRES: no rows; its columns begin with the
  // present ones.
  void Redefine(uint32_t index, Table table) {
    index_ = index;
    table_ = std::move(table);
    Release();
    IndexColumns();
  }

  // The column's place or -1. `guess` is looked at first: rows name columns in a steady order.
  int64_t FindColumn(absl::string_view name, size_t guess) const {
    const auto& columns = table_.columns();
    if (guess < columns.size() && columns[guess].name == name) return static_cast<int64_t>(guess);
    const auto it = column_index_.find(name);
    return it == column_index_.end() ? -1 : static_cast<int64_t>(it->second);
  }

  // The bytes of text in a row.
  static size_t TextBytes(absl::Span<const Value> row) {
    size_t bytes = 0;
    for (const Value& v : row) bytes += v.raw().length;
    return bytes;
  }
  // What a row counts towards the size of a batch.
  size_t RowBytes(size_t text_bytes) const { return text_bytes + column_count() * kValueBytes; }
  // Whether a row of so much text belongs into this batch, or into the next one.
  bool Fits(size_t text_bytes) const {
    return row_count_ == 0 ||
           (row_count_ < row_capacity_ && byte_count() + RowBytes(text_bytes) <= kBatchBytes);
  }

  // Copies a row. Columns beyond `row` become `filler`. An empty `before` is no before image.
  // REQUIRES: text_bytes is that of both; Fits(text_bytes); neither is longer than the columns.
  void Append(uint8_t op, absl::Span<const Value> row, const Value& filler,
              absl::Span<const Value> before, const tidemark_row_meta& meta, size_t text_bytes) {
    if (row_capacity_ == 0) Reserve();
    PrepareText(text_bytes);
    CopyRow(row, filler, values_.get() + row_count_ * column_count());
    ops_[row_count_] = op;
    if (!before.empty()) {
      before_.resize((before_rows_.size() + 1) * column_count());
      CopyRow(before, Value::Unchanged(), &before_[before_rows_.size() * column_count()]);
      before_rows_.push_back(static_cast<uint32_t>(row_count_));
    }
    const bool stamped =
        meta.event_time_us != TIDEMARK_NO_TIME || meta.sequence != 0 || meta.subsequence != 0;
    if (stamped || !meta_.empty()) {
      meta_.resize(row_count_, {TIDEMARK_NO_TIME, 0, 0});
      meta_.push_back(meta);
    }
    ++row_count_;
  }

  // Whether memory for a batch is held; it stays over batches until Release().
  bool holds_memory() const { return row_capacity_ != 0; }

  // Borrowed until Clear().
  tidemark_batch Batch() const {
    return {sizeof(tidemark_batch),
            index_,
            static_cast<uint32_t>(row_count_),
            static_cast<uint32_t>(column_count()),
            ops_.get(),
            values_.get(),
            meta_.empty() ? nullptr : meta_.data(),
            meta_.empty() ? 0u : static_cast<uint32_t>(sizeof(tidemark_row_meta)),
            static_cast<uint32_t>(before_rows_.size()),
            before_rows_.empty() ? nullptr : before_rows_.data(),
            before_rows_.empty() ? nullptr : before_.data()};
  }

  void Clear() {
    row_count_ = 0;
    text_bytes_ = 0;
    text_end_ = text_.get();
    large_.reset();
    meta_.clear();
    before_rows_.clear();
    before_.clear();
  }
  // Clear(), and gives the memory back.
  void Release() {
    text_.reset();
    values_.reset();
    ops_.reset();
    row_capacity_ = 0;
    Clear();
  }

 private:
  void IndexColumns() {
    const auto& columns = table_.columns();
    column_count_ = columns.size();
    for (size_t i = 0; i < columns.size(); ++i) column_index_.emplace(columns[i].name, i);
  }
  void Reserve() {
    const size_t row_bytes = std::max<size_t>(1, column_count() * kValueBytes);
    row_capacity_ = std::clamp<size_t>(kBatchBytes / row_bytes, 1, kBatchRows);
    // Every row is written before it is read.
    values_ = std::make_unique_for_overwrite<tidemark_value[]>(row_capacity_ * column_count());
    ops_ = std::make_unique_for_overwrite<uint8_t[]>(row_capacity_);
  }
  void PrepareText(size_t bytes) {
    text_bytes_ += bytes;
    if (bytes > kBatchBytes) {  // Alone in its batch, because it fits beside no other row.
      large_ = std::make_unique_for_overwrite<char[]>(bytes);
      text_end_ = large_.get();
    } else if (text_ == nullptr) {
      text_ = std::make_unique_for_overwrite<char[]>(kBatchBytes);
      text_end_ = text_.get();
    }
  }
  void CopyRow(absl::Span<const Value> row, const Value& filler, tidemark_value* out) {
    char* end = text_end_;
    for (const Value& v : row) {
      *out = v.raw();
      if (out->length != 0) {
        std::memcpy(end, out->u.data, out->length);
        out->u.data = end;
        end += out->length;
      }
      ++out;
    }
    text_end_ = end;
    for (size_t i = row.size(); i < column_count(); ++i) *out++ = filler.raw();
  }

  uint32_t index_;
  Table table_;
  absl::flat_hash_map<std::string, size_t> column_index_;

  size_t column_count_ = 0;
  size_t row_count_ = 0;
  size_t row_capacity_ = 0;  // 0: nothing allocated for the present columns
  size_t text_bytes_ = 0;
  std::unique_ptr<uint8_t[]> ops_;
  std::unique_ptr<tidemark_value[]> values_;
  std::unique_ptr<char[]> text_;   // [kBatchBytes]
  std::unique_ptr<char[]> large_;  // the text of one large row
  char* text_end_ = nullptr;
  std::vector<tidemark_row_meta> meta_;
  std::vector<uint32_t> before_rows_;
  std::vector<tidemark_value> before_;
};

}  // namespace internal
}  // namespace sdk_v1
}  // namespace tidemark

#endif  // TIDEMARK_ROW_BUFFER_H_
