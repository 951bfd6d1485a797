#include "source/readable_rows.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "wire/row_codec.h"
#include "wire/schema_messages.h"
#include "wire/unknown_field.h"
#include "wire/value_messages.h"

namespace tidemark {
namespace {

constexpr uint32_t kNewColumn = std::numeric_limits<uint32_t>::max();

// The message whose text the values of several batches view.
class SharedMessageBytes final : public BatchBytes {
 public:
  explicit SharedMessageBytes(std::shared_ptr<StreamMessage> message)
      : message_(std::move(message)) {}

 private:
  const std::shared_ptr<StreamMessage> message_;
};

std::optional<ChangeKind> KindOf(const v1::Row& row) {
  switch (row.kind()) {
    case v1::CHANGE_KIND_UNSPECIFIED:
    case v1::CHANGE_KIND_UPSERT:
      return ChangeKind::kUpsert;
    case v1::CHANGE_KIND_UPDATE:
      return ChangeKind::kUpdate;
    case v1::CHANGE_KIND_DELETE:
      return ChangeKind::kDelete;
    case v1::CHANGE_KIND_TRUNCATE:
      return ChangeKind::kTruncate;
    case v1::CHANGE_KIND_SNAPSHOT:
      return ChangeKind::kSnapshot;
    default:
      return std::nullopt;
  }
}

bool HasMeta(const v1::Row& row) {
  return row.has_event_time_us() || row.sequence() != 0 || row.subsequence() != 0;
}

bool HasKey(const TableSchema& table) {
  return std::any_of(table.columns.begin(), table.columns.end(),
                     [](const Column& column) { return column.key; });
}

std::string TableName(const v1::Row& row) {
  return row.schema().empty() ? row.table() : absl::StrCat(row.schema(), ".", row.table());
}

}  // namespace

void ReadableRows::Begin(std::unique_ptr<StreamMessage> message) {
  next_ = 0;
  if (message->rows().rows_size() > 0) message_ = std::move(message);
}

absl::Status ReadableRows::DefineWhatIsNew(size_t end, std::deque<SourceEvent>* events) {
  const auto& rows = message_->rows().rows();
  const v1::Row& first = rows[static_cast<int>(next_)];
  const std::optional<uint32_t> known = tables_->Find(first.schema(), first.table());
  std::set<std::string> names;  // a map's order is not an order
  columns_.clear();
  next_column_ = 0;
  for (size_t i = next_; i < end; ++i) {
    for (const auto* values :
         {&rows[static_cast<int>(i)].values(), &rows[static_cast<int>(i)].before()}) {
      for (const auto& [name, value] : *values) {
        const std::optional<uint32_t> column =
            known.has_value() ? tables_->FindColumn(*known, name) : std::nullopt;
        columns_.push_back(column.value_or(kNewColumn));
        if (!column.has_value()) names.insert(name);
      }
    }
  }
  if (known.has_value() && names.empty()) return absl::OkStatus();
  TableDefinition definition;
  definition.index = known.value_or(tables_->size());
  if (known.has_value()) {
    definition.table = tables_->at(*known);
  } else {
    definition.table.schema = first.schema();
    definition.table.name = first.table();
  }
  for (const std::string& name : names) definition.table.columns.emplace_back().name = name;
  if (absl::Status status = CheckTable(definition.table); !status.ok()) {
    return absl::DataLossError(status.message());
  }
  if (absl::Status status = tables_->Define(definition.index, definition.table); !status.ok()) {
    return status;
  }
  events->push_back(std::move(definition));
  return absl::OkStatus();
}

absl::Status ReadableRows::Advance(std::deque<SourceEvent>* events) {
  const auto& rows = message_->rows().rows();
  const auto count = static_cast<size_t>(rows.size());
  const v1::Row& first = rows[static_cast<int>(next_)];
  size_t end = next_ + 1;
  while (end < count && end - next_ < kMaxRowsPerBatch &&
         rows[static_cast<int>(end)].table() == first.table() &&
         rows[static_cast<int>(end)].schema() == first.schema()) {
    ++end;
  }
  if (absl::Status status = DefineWhatIsNew(end, events); !status.ok()) return status;

  ChangeBatch batch;
  batch.table = *tables_->Find(first.schema(), first.table());
  batch.column_count = static_cast<uint32_t>(tables_->at(batch.table).columns.size());
  end = std::min(end, next_ + std::max<size_t>(1, kBatchValues / std::max(1u, batch.column_count)));
  batch.ops.reserve(end - next_);
  batch.values.reserve((end - next_) * batch.column_count);
  for (; next_ < end; ++next_) {
    const v1::Row& row = rows[static_cast<int>(next_)];
    if (absl::Status status = AppendRow(row, batch.table, &batch); !status.ok()) {
      return absl::DataLossError(
          absl::StrCat("table ", TableName(row), ", row ", next_, ": ", status.message()));
    }
  }
  batch.encoded_bytes = message_->bytes * batch.row_count / count;
  batch.bytes.push_back(std::make_unique<SharedMessageBytes>(message_));
  events->push_back(std::move(batch));
  if (next_ == count) message_ = nullptr;
  return absl::OkStatus();
}

uint32_t ReadableRows::NextColumn(uint32_t table, const std::string& name) {
  const uint32_t column = columns_[next_column_++];
  return column != kNewColumn ? column : *tables_->FindColumn(table, name);
}

absl::Status ReadableRows::AppendRow(const v1::Row& row, uint32_t table, ChangeBatch* batch) {
  const std::optional<ChangeKind> kind = KindOf(row);
  if (!kind.has_value()) {
    return absl::DataLossError(absl::StrCat("unknown kind of change ", int{row.kind()}));
  }
  if (const int field = UnknownField(row); field != 0) {
    return absl::DataLossError(absl::StrCat("field number ", field, " of Row is not known here"));
  }
  const size_t begin = batch->values.size();
  // A column that is not given is NULL in a full row and stays as it is in an update.
  batch->values.resize(begin + batch->column_count,
                       *kind == ChangeKind::kUpdate ? Value::Unchanged() : Value::Null());
  for (const auto& [name, message] : row.values()) {
    const absl::StatusOr<Value> value = ValueFromMessage(message);
    if (!value.ok()) return value.status();
    batch->values[begin + NextColumn(table, name)] = *value;
  }
  if (row.before_size() > 0) {
    const size_t before = batch->before.size();
    batch->before_rows.push_back(batch->row_count);
    // With a key only the old key is given; without one, the full old row.
    batch->before.resize(before + batch->column_count,
                         HasKey(tables_->at(table)) ? Value::Unchanged() : Value::Null());
    for (const auto& [name, message] : row.before()) {
      const absl::StatusOr<Value> value = ValueFromMessage(message);
      if (!value.ok()) return value.status();
      batch->before[before + NextColumn(table, name)] = *value;
    }
  }
  if (HasMeta(row) || !batch->meta.empty()) {
    batch->meta.resize(batch->row_count);  // the rows before: nothing known
    RowMeta meta;
    if (row.has_event_time_us()) meta.event_time_us = row.event_time_us();
    meta.sequence = row.sequence();
    meta.subsequence = row.subsequence();
    batch->meta.push_back(meta);
  }
  batch->ops.push_back(static_cast<uint8_t>(static_cast<uint8_t>(*kind) |
                                            (row.on_error_continue() ? kOnErrorContinue : 0)));
  ++batch->row_count;
  return absl::OkStatus();
}

}  // namespace tidemark
