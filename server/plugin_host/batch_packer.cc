#include "plugin_host/batch_packer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "plugin_host/abi_reader.h"
#include "tidemark/v1/connector.pb.h"
#include "wire/row_codec.h"

namespace tidemark {
namespace {

constexpr size_t kFirstBytes = size_t{64} * 1024;
constexpr size_t kKeptBytes = 4 * kMessageBytes;  // a larger buffer is given back
constexpr size_t kMetaBytes = sizeof(tidemark_row_meta);

// Makes room for `need` bytes behind the `used` ones and returns where they go. Bytes that a
// longer earlier message left are used again as they are.
char* Room(std::string* bytes, size_t used, size_t need) {
  if (used + need > bytes->size()) {
    const size_t doubled = std::min(2 * bytes->size(), bytes->size() + kMessageBytes);
    bytes->resize(std::max({used + need, doubled, kFirstBytes}));
  }
  return bytes->data() + used;
}

// Cuts to what is used. Returns a large buffer to the system once it was sent.
void Drop(std::string* bytes) {
  if (bytes->capacity() > kKeptBytes) std::string().swap(*bytes);
}

absl::Status AtRow(uint32_t row, absl::string_view what) {
  return Misbehaved(absl::StrCat("row ", row, ": ", what));
}

absl::Status CheckRows(const tidemark_batch& batch) {
  if (batch.ops == nullptr) return Misbehaved("tidemark_batch.ops is NULL");
  if (batch.column_count > 0 && batch.values == nullptr) {
    return Misbehaved("tidemark_batch.values is NULL");
  }
  if (batch.meta != nullptr &&
      (batch.meta_size < sizeof(tidemark_row_meta) || batch.meta_size % 8 != 0)) {
    return Misbehaved(absl::StrCat("tidemark_batch.meta_size is ", batch.meta_size));
  }
  for (const void* array :
       {static_cast<const void*>(batch.values), static_cast<const void*>(batch.meta),
        static_cast<const void*>(batch.before)}) {
    if (reinterpret_cast<uintptr_t>(array) % alignof(tidemark_value) != 0) {
      return Misbehaved("an array of tidemark_batch is not aligned");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckBefore(const tidemark_batch& batch) {
  if (batch.before_count == 0) return absl::OkStatus();
  if (batch.before_count > batch.row_count) {
    return Misbehaved(absl::StrCat("tidemark_batch.before_count is ", batch.before_count, " for ",
                                   batch.row_count, " rows"));
  }
  if (batch.before_rows == nullptr || (batch.before == nullptr && batch.column_count > 0)) {
    return Misbehaved("tidemark_batch.before_rows or before is NULL");
  }
  for (uint32_t i = 0; i < batch.before_count; ++i) {
    const uint32_t row = batch.before_rows[i];
    if (row >= batch.row_count || (i > 0 && row <= batch.before_rows[i - 1])) {
      return Misbehaved(absl::StrCat("tidemark_batch.before_rows[", i, "] is ", row,
                                     ", must ascend below ", batch.row_count));
    }
  }
  return absl::OkStatus();
}

}  // namespace

BatchPacker::BatchPacker()
    : message_(std::make_unique<v1::UpdateResponse>()), rows_(message_->mutable_row_batch()) {}

BatchPacker::~BatchPacker() = default;

absl::Status BatchPacker::CheckStructure(const tidemark_batch* batch, uint32_t table_count,
                                         absl::FunctionRef<uint32_t(uint32_t)> table_columns) {
  if (batch == nullptr) return Misbehaved("the batch is NULL");
  if (!TIDEMARK_HAS(tidemark_batch, batch, before)) {
    return Misbehaved(absl::StrCat("tidemark_batch.struct_size is ", batch->struct_size,
                                   ", must be at least ", sizeof(tidemark_batch)));
  }
  if (batch->table >= table_count) {
    return Misbehaved(
        absl::StrCat("a batch of table ", batch->table, ", there are ", table_count, " tables"));
  }
  if (batch->row_count > kMaxRowsPerBatch) {
    return Misbehaved(
        absl::StrCat("a batch of ", batch->row_count, " rows, at most ", kMaxRowsPerBatch));
  }
  if (const uint32_t columns = table_columns(batch->table); batch->column_count > columns) {
    return Misbehaved(
        absl::StrCat("a batch of ", batch->column_count, " columns, the table has ", columns));
  }
  if (batch->row_count == 0) return absl::OkStatus();
  if (absl::Status rows = CheckRows(*batch); !rows.ok()) return rows;
  return CheckBefore(*batch);
}

absl::Status BatchPacker::Pack(const tidemark_batch& batch, Write write, ErrorPlace* place) {
  row_count_ = 0;
  rows_used_ = before_used_ = 0;
  rows_->mutable_ops()->clear();
  rows_->mutable_meta()->clear();
  rows_->clear_before_rows();
  row_.resize(batch.column_count);
  before_.resize(batch.column_count);
  uint32_t next_before = 0;
  for (uint32_t row = 0; row < batch.row_count; ++row) {
    if (absl::Status added = AddRow(batch, row, &next_before, write, place); !added.ok()) {
      return added;
    }
  }
  return row_count_ == 0 ? absl::OkStatus() : Flush(batch, write);
}

absl::Status BatchPacker::AddRow(const tidemark_batch& batch, uint32_t row, uint32_t* next_before,
                                 Write write, ErrorPlace* place) {
  const uint32_t kind = batch.ops[row] & ~uint32_t{TIDEMARK_ON_ERROR_CONTINUE};
  if (kind < TIDEMARK_UPSERT || kind > TIDEMARK_SNAPSHOT) {
    place->row = row;
    return AtRow(row, absl::StrCat("unknown operation ", static_cast<int>(batch.ops[row])));
  }
  const size_t columns = batch.column_count;
  size_t bound = columns;
  if (kind == TIDEMARK_TRUNCATE) {
    // A truncate has no values; those in the array are not looked at.
    std::fill(row_.begin(), row_.end(), Value::Null());
  } else {
    const bool full = kind == TIDEMARK_UPSERT || kind == TIDEMARK_SNAPSHOT;
    absl::Status loaded = LoadRow(batch.values + row * columns, row, full, &bound, &row_, place);
    if (!loaded.ok()) return loaded;
  }
  const bool has_before =
      *next_before < batch.before_count && batch.before_rows[*next_before] == row;
  size_t before_bound = 0;
  if (has_before) {
    absl::Status loaded =
        LoadRow(batch.before + *next_before * columns, row, false, &before_bound, &before_, place);
    if (!loaded.ok()) return loaded;
    ++*next_before;
  }
  if (bound + before_bound > kMaxEncodedRowBytes) {
    place->row = row;
    return absl::InvalidArgumentError(absl::StrCat("row ", row, " has ", bound + before_bound,
                                                   " bytes, at most ", kMaxEncodedRowBytes));
  }
  const size_t filled = rows_used_ + before_used_ + row_count_ * (1 + kMetaBytes);
  if (row_count_ > 0 && filled + bound + before_bound > kMessageBytes) {
    if (absl::Status flushed = Flush(batch, write); !flushed.ok()) return flushed;
  }
  Append(batch, row, has_before, bound, before_bound);
  return absl::OkStatus();
}

absl::Status BatchPacker::LoadRow(const tidemark_value* from, uint32_t row, bool full,
                                  size_t* bound, std::vector<Value>* values, ErrorPlace* place) {
  const size_t count = values->size();
  Value* const to = values->data();
  size_t text = 0;
  for (size_t i = 0; i < count; ++i) {
    const tidemark_value& value = from[i];
    to[i] = std::bit_cast<Value>(value);
    if (value.type >= TIDEMARK_DECIMAL && value.type <= TIDEMARK_JSON) {
      text += value.length;
      if (value.length == 0 || value.u.data != nullptr) continue;
    } else if (value.type == TIDEMARK_BOOL) {
      if (value.u.i64 == 0 || value.u.i64 == 1) continue;
    } else if (value.type <= kMaxValueKind && (value.type != TIDEMARK_UNCHANGED || !full)) {
      continue;
    }
    place->row = row;
    place->column = static_cast<uint32_t>(i);
    if (value.type == TIDEMARK_UNCHANGED) {
      return absl::InvalidArgumentError(
          absl::StrCat("row ", row, ", column ", i,
                       ": UNCHANGED in an upsert or snapshot, which is a full row"));
    }
    const std::string what = value.type == TIDEMARK_BOOL ? absl::StrCat("a BOOL of ", value.u.i64)
                             : value.type > kMaxValueKind
                                 ? absl::StrCat("unknown kind of value ", value.type)
                                 : std::string("a text whose data is NULL");
    return AtRow(row, absl::StrCat("column ", i, ": ", what));
  }
  *bound = count * 9 + text;  // EncodedRowBound
  return absl::OkStatus();
}

void BatchPacker::Append(const tidemark_batch& batch, uint32_t row, bool has_before, size_t bound,
                         size_t before_bound) {
  char* out = Room(rows_->mutable_rows(), rows_used_, bound);
  rows_used_ += static_cast<size_t>(EncodeRow(row_, out) - out);
  if (has_before) {
    rows_->add_before_rows(row_count_);
    out = Room(rows_->mutable_before(), before_used_, before_bound);
    before_used_ += static_cast<size_t>(EncodeRow(before_, out) - out);
  }
  rows_->mutable_ops()->push_back(static_cast<char>(batch.ops[row]));
  if (batch.meta != nullptr) {
    rows_->mutable_meta()->append(
        reinterpret_cast<const char*>(&ElementAt(batch.meta, batch.meta_size, row)), kMetaBytes);
  }
  ++row_count_;
}

absl::Status BatchPacker::Flush(const tidemark_batch& batch, Write write) {
  rows_->set_table(batch.table);
  rows_->set_row_count(row_count_);
  rows_->set_column_count(batch.column_count);
  rows_->mutable_rows()->resize(rows_used_);
  rows_->mutable_before()->resize(before_used_);
  const bool written = write(*message_);
  row_count_ = 0;
  rows_used_ = before_used_ = 0;
  Drop(rows_->mutable_rows());
  Drop(rows_->mutable_before());
  rows_->mutable_ops()->clear();
  rows_->mutable_meta()->clear();
  rows_->clear_before_rows();
  return written ? absl::OkStatus() : absl::CancelledError("the sync was cancelled");
}

}  // namespace tidemark
