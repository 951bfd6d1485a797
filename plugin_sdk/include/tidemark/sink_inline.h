// Definitions of Sink; included by sink.h only.
#ifndef TIDEMARK_SINK_INLINE_H_
#define TIDEMARK_SINK_INLINE_H_

#include <algorithm>

#include "tidemark/sink.h"

namespace tidemark {
inline namespace sdk_v1 {

inline absl::Status Sink::EmitTable(internal::RowBuffer& buffer) {
  if (!status_.ok()) return status_;
  if (buffer.row_count() == 0) return absl::OkStatus();
  const tidemark_batch batch = buffer.Batch();
  internal::ErrorBuffer error;
  const tidemark_code code = raw_->emit(raw_, &batch, error.get());
  gathered_bytes_ -= buffer.byte_count();
  buffer.Clear();
  gathered_.erase(std::find(gathered_.begin(), gathered_.end(), &buffer));
  return Keep(error, code);
}

inline void Sink::Hold(internal::RowBuffer& buffer) {
  if (holders_.size() >= kHolders) {
    const auto empty =
        std::find_if(holders_.begin(), holders_.end(),
                     [](const internal::RowBuffer* b) { return b->row_count() == 0; });
    if (empty != holders_.end()) {
      (*empty)->Release();
      holders_.erase(empty);
    }
  }
  if (std::find(holders_.begin(), holders_.end(), &buffer) == holders_.end()) {
    holders_.push_back(&buffer);
  }
}

inline absl::Status Sink::Emit() {
  while (!gathered_.empty()) {
    if (absl::Status s = EmitTable(*gathered_.front()); !s.ok()) return s;
  }
  return status_;
}

inline absl::Status Sink::Append(internal::RowBuffer& buffer, uint8_t op, Cells row,
                                 const Value& filler, const RowOptions<Value>& options) {
  if (!status_.ok()) return status_;
  if (row.size() > buffer.column_count() || options.before.size() > buffer.column_count()) {
    status_ = absl::InvalidArgumentError(
        absl::StrCat("a row of table ", buffer.table().name(), " has ",
                     std::max(row.size(), options.before.size()), " values, the table has ",
                     buffer.column_count(), " columns"));
    return status_;
  }
  const size_t text_bytes =
      internal::RowBuffer::TextBytes(row) + internal::RowBuffer::TextBytes(options.before);
  if (!buffer.Fits(text_bytes)) {
    if (absl::Status s = EmitTable(buffer); !s.ok()) return s;
  }
  const int64_t now_ms = SteadyMs();
  if (buffer.row_count() == 0) {
    if (ordered_tables_) {
      if (absl::Status s = Emit(); !s.ok()) return s;
    }
    if (gathered_.empty()) oldest_ms_ = now_ms;
    gathered_.push_back(&buffer);
    if (!buffer.holds_memory()) Hold(buffer);
  }
  if (options.continue_on_error) op |= TIDEMARK_ON_ERROR_CONTINUE;
  buffer.Append(op, row, filler, options.before,
                {internal::ToMicros(options.event_time), options.sequence, options.subsequence},
                text_bytes);
  gathered_bytes_ += buffer.RowBytes(text_bytes);
  if (gathered_bytes_ > kGatheredBytes || now_ms - oldest_ms_ >= kMaxAgeMs) return Emit();
  return absl::OkStatus();
}

inline absl::StatusOr<bool> Sink::Place(const internal::RowBuffer& buffer, Fields row,
                                        const Value& filler, std::vector<Value>* cells) {
  // A cell whose text points here was not given yet.
  static constexpr char kNotGiven[] = "";
  const Value not_given = Value::Bytes(absl::string_view(kNotGiven, 0));
  cells->assign(buffer.column_count(), not_given);
  size_t guess = 0;
  for (const Field& field : row) {
    const int64_t place = buffer.FindColumn(field.name, guess);
    if (place < 0) return false;
    Value& cell = (*cells)[static_cast<size_t>(place)];
    if (cell.has_data() && cell.raw().u.data == kNotGiven) {
      cell = field.value;
    } else {
      return absl::InvalidArgumentError(absl::StrCat("a row of table ", buffer.table().name(),
                                                     " gives column ", field.name, " twice"));
    }
    guess = static_cast<size_t>(place) + 1;
  }
  for (Value& cell : *cells) {
    if (cell.has_data() && cell.raw().u.data == kNotGiven) cell = filler;
  }
  return true;
}

inline absl::Status Sink::DefineColumns(internal::RowBuffer& buffer, Fields row, Fields before) {
  Table wider = buffer.table();
  for (const Fields& fields : {row, before}) {
    for (const Field& field : fields) {
      const auto& columns = wider.columns();
      if (std::none_of(columns.begin(), columns.end(),
                       [&](const Table::ColumnSpec& c) { return field.name == c.name; })) {
        wider.Column(std::string(field.name), kUndeclared);
      }
    }
  }
  return Define(wider).status();
}

inline absl::Status Sink::AppendNamed(absl::string_view table, uint8_t op, Fields row,
                                      const Value& filler, const RowOptions<Field>& options) {
  if (!status_.ok()) return status_;
  internal::RowBuffer* buffer = tables_->Find(table, "");
  if (buffer == nullptr) {
    absl::StatusOr<TableRef> defined = Define(Table(std::string(table)));
    if (!defined.ok()) return defined.status();
    buffer = defined->buffer_;
  }
  RowOptions<Value> by_place = {
      {}, options.event_time, options.sequence, options.subsequence, options.continue_on_error};
  for (int attempt = 0; attempt < 2; ++attempt) {
    absl::StatusOr<bool> known = Place(*buffer, row, filler, &cells_);
    if (known.ok() && *known && !options.before.empty()) {
      known = Place(*buffer, options.before, Value::Unchanged(), &before_);
      by_place.before = before_;
    }
    if (!known.ok()) return status_ = known.status();
    if (*known) return Append(*buffer, op, cells_, filler, by_place);
    if (absl::Status s = DefineColumns(*buffer, row, options.before); !s.ok()) return s;
  }
  return status_ = absl::InternalError(
             absl::StrCat("table ", table, " does not have the columns it was given"));
}

inline absl::StatusOr<TableRef> Sink::Define(const Table& table) {
  if (!status_.ok()) return status_;
  internal::RowBuffer* buffer = tables_->Find(table.name(), table.schema());
  // The present columns keep their places, whatever the order of the new definition.
  Table merged(table.name(), table.schema());
  if (buffer != nullptr) merged = buffer->table();
  merged.Merge(table);
  if (buffer != nullptr) {
    if (absl::Status s = EmitTable(*buffer); !s.ok()) return s;
  }
  const std::vector<Table> tables = {merged};
  const internal::SchemaView view(tables);
  uint32_t index = TIDEMARK_NO_TABLE;
  internal::ErrorBuffer error;
  if (absl::Status s = Keep(error, raw_->define_table(raw_, &view.table(0), &index, error.get()));
      !s.ok()) {
    return s;
  }
  if (buffer == nullptr) return TableRef(tables_->Add(index, std::move(merged)));
  buffer->Redefine(index, std::move(merged));
  return TableRef(buffer);
}

inline absl::Status Sink::CheckpointStates(absl::Span<const NewState> states) {
  if (absl::Status s = Emit(); !s.ok()) return s;
  std::vector<tidemark_state> raw;
  raw.reserve(states.size());
  for (const NewState& state : states) {
    raw.push_back({internal::ToBytes(state.schema), internal::ToBytes(state.table),
                   internal::ToBytes(state.body), internal::ToBytes(state.cursor), state_format_,
                   TIDEMARK_STATE_NORMAL, 0, TIDEMARK_NO_TIME,
                   internal::ToMicros(state.watermark)});
  }
  const tidemark_checkpoint checkpoint = {sizeof(tidemark_checkpoint), sizeof(tidemark_state),
                                          static_cast<uint32_t>(raw.size()), 0, raw.data()};
  internal::ErrorBuffer error;
  return Keep(error, raw_->checkpoint(raw_, &checkpoint, &last_checkpoint_, error.get()));
}

inline absl::Status Sink::Wait(uint64_t id, absl::Duration timeout) {
  if (absl::Status s = Emit(); !s.ok()) return s;
  const int64_t timeout_us =
      timeout == absl::InfiniteDuration() ? -1 : absl::ToInt64Microseconds(timeout);
  internal::ErrorBuffer error;
  const tidemark_code code = raw_->wait(raw_, id, timeout_us, error.get());
  if (code == TIDEMARK_DEADLINE_EXCEEDED) return error.ToStatus(code);
  return Keep(error, code);
}

inline absl::Status Sink::Sleep(absl::Duration duration) { return Wait(0, duration); }

inline absl::Status Sink::Flush() {
  if (absl::Status s = Emit(); !s.ok()) return s;
  internal::ErrorBuffer error;
  return Keep(error, raw_->flush(raw_, error.get()));
}

inline absl::Status Sink::DeadLetter(const RejectedRecord& record) {
  if (!status_.ok()) return status_;
  const internal::RowBuffer* buffer = tables_->Find(record.table, "");
  if (buffer == nullptr) {
    absl::StatusOr<TableRef> defined = Define(Table(std::string(record.table)));
    if (!defined.ok()) return defined.status();
    buffer = defined->buffer_;
  }
  const tidemark_dead_letter raw = {sizeof(tidemark_dead_letter),
                                    buffer->index(),
                                    static_cast<tidemark_code>(record.code),
                                    0,
                                    internal::ToBytes(record.record_json),
                                    internal::ToBytes(record.key_json),
                                    internal::ToBytes(record.reason),
                                    internal::ToBytes(record.context_json)};
  internal::ErrorBuffer error;
  return Keep(error, raw_->dead_letter(raw_, &raw, error.get()));
}

inline absl::Status Sink::TableDone(absl::string_view table, const absl::Status& status,
                                    absl::string_view schema) {
  internal::RowBuffer* buffer = tables_->Find(table, schema);
  if (buffer == nullptr) {
    return absl::NotFoundError(absl::StrCat("table ", table, " is neither declared nor defined"));
  }
  if (absl::Status s = EmitTable(*buffer); !s.ok()) return s;
  internal::ErrorBuffer error;
  return Keep(error,
              raw_->table_done(raw_, buffer->index(), static_cast<tidemark_code>(status.code()),
                               internal::ToBytes(status.message()), error.get()));
}

inline absl::Status Sink::Warn(absl::string_view text, absl::string_view table) {
  if (!status_.ok()) return status_;
  const internal::RowBuffer* buffer = tables_->Find(table, "");
  internal::ErrorBuffer error;
  return Keep(error, raw_->warn(raw_, buffer == nullptr ? TIDEMARK_NO_TABLE : buffer->index(),
                                internal::ToBytes(text), error.get()));
}

inline absl::Status Sink::Progress(uint64_t rows_done, uint64_t rows_total, const char* phase) {
  if (absl::Status s = Emit(); !s.ok()) return s;
  const tidemark_host* host = host_.raw();
  if (host == nullptr || host->progress == nullptr) return absl::OkStatus();
  const tidemark_progress progress = {
      sizeof(tidemark_progress), TIDEMARK_NO_TABLE, rows_done, rows_total, 0, phase};
  host->progress(host, &progress);
  return absl::OkStatus();
}

}  // namespace sdk_v1
}  // namespace tidemark

#endif  // TIDEMARK_SINK_INLINE_H_
