// Definitions of RecordingSink; included by recording_sink.h only.
#ifndef TIDEMARK_TESTING_RECORDING_SINK_INLINE_H_
#define TIDEMARK_TESTING_RECORDING_SINK_INLINE_H_

#include "tidemark/testing/recording_sink.h"

namespace tidemark_testing {

inline std::string Text(const tidemark_bytes& b) {
  return b.data == nullptr ? std::string() : std::string(b.data, b.size);
}

inline absl::Status RecordingSink::SetSchema(const tidemark_schema* schema) {
  if (schema == nullptr) return absl::InternalError("schema() gave no schema");
  if (!TIDEMARK_HAS(tidemark_schema, schema, tables) ||
      (schema->table_count > 0 &&
       (schema->tables == nullptr || schema->table_size < sizeof(tidemark_table)))) {
    return absl::InternalError("a tidemark_schema or its tables are too small");
  }
  tables_.clear();
  const char* p = reinterpret_cast<const char*>(schema->tables);
  for (uint32_t i = 0; i < schema->table_count; ++i, p += schema->table_size) {
    RecordedTable table;
    absl::Status s = CopyTable(*reinterpret_cast<const tidemark_table*>(p), &table);
    if (!s.ok()) return s;
    for (const RecordedTable& other : tables_) {
      if (other.FullName() == table.FullName()) {
        return absl::InternalError(absl::StrCat("two tables are called ", table.FullName()));
      }
    }
    tables_.push_back(std::move(table));
  }
  return absl::OkStatus();
}

inline std::vector<RecordedState> RecordingSink::StatesAfter(
    size_t count, std::vector<RecordedState> start) const {
  for (size_t i = 0; i < count; ++i) {
    for (const RecordedState& state : checkpoints_[i].states) {
      const auto same = std::find_if(start.begin(), start.end(), [&](const RecordedState& s) {
        return s.schema == state.schema && s.table == state.table;
      });
      if (same == start.end()) {
        start.push_back(state);
      } else {
        *same = state;
      }
    }
  }
  return start;
}

inline void RecordingSink::Copy(const tidemark_batch& b) {
  const auto copy_row = [&](const tidemark_value* values) {
    RecordedRow row;
    row.reserve(b.column_count);
    for (uint32_t c = 0; c < b.column_count; ++c) row.push_back(RecordedValue::Copy(values[c]));
    return row;
  };
  uint32_t before = 0;
  for (uint32_t r = 0; r < b.row_count; ++r) {
    RecordedChange change;
    change.table = b.table;
    change.on_error_continue = (b.ops[r] & TIDEMARK_ON_ERROR_CONTINUE) != 0;
    change.op = b.ops[r] & static_cast<uint8_t>(~TIDEMARK_ON_ERROR_CONTINUE);
    if (change.op != TIDEMARK_TRUNCATE)
      change.row = copy_row(b.values + size_t{r} * b.column_count);
    if (before < b.before_count && b.before_rows[before] == r) {
      change.before = copy_row(b.before + size_t{before} * b.column_count);
      ++before;
    }
    if (b.meta != nullptr) {
      change.meta = *reinterpret_cast<const tidemark_row_meta*>(
          reinterpret_cast<const char*>(b.meta) + size_t{r} * b.meta_size);
    }
    changes_.push_back(std::move(change));
  }
}

inline tidemark_code RecordingSink::Emit(const tidemark_sink* s, const tidemark_batch* batch,
                                         tidemark_error* error) {
  RecordingSink* self = Self(s);
  if (tidemark_code code = self->Enter("emit", error); code != TIDEMARK_OK) return code;
  if (++self->emit_calls_ == self->refuse_emit_) {
    self->refused_ = true;
    return self->Enter("emit", error);
  }
  absl::Status status = CheckShape(*batch, self->tables_);
  if (status.ok()) status = CheckRows(*batch);
  if (status.ok()) self->Copy(*batch);
  return self->Break(status, error);
}

inline absl::Status RecordingSink::CopyCheckpoint(const tidemark_checkpoint& c) {
  if (!TIDEMARK_HAS(tidemark_checkpoint, &c, states) || c.state_count == 0 || c.states == nullptr ||
      c.state_size < sizeof(tidemark_state)) {
    return absl::InternalError("a checkpoint is too small or has no state");
  }
  RecordedCheckpoint copy;
  copy.id = checkpoints_.size() + 1;
  copy.changes = changes_.size();
  const char* p = reinterpret_cast<const char*>(c.states);
  for (uint32_t i = 0; i < c.state_count; ++i, p += c.state_size) {
    const auto& raw = *reinterpret_cast<const tidemark_state*>(p);
    if (raw.body.size > TIDEMARK_MAX_STATE_BYTES) {
      return absl::InternalError("a state is larger than 10 MiB");
    }
    RecordedState state = {Text(raw.schema), Text(raw.table), Text(raw.body),
                           Text(raw.cursor), raw.format,      raw.watermark_us};
    const bool known = state.table.empty() ||
                       std::any_of(tables_.begin(), tables_.end(), [&](const RecordedTable& t) {
                         return t.name == state.table && t.schema == state.schema;
                       });
    if (!known) {
      return absl::InternalError(absl::StrCat("a state is of unknown table ", state.table));
    }
    if (!IsText(state.cursor)) return absl::InternalError("a cursor is not UTF-8");
    for (const RecordedState& other : copy.states) {
      if (other.table == state.table && other.schema == state.schema) {
        return absl::InternalError("a checkpoint has two states of one entry");
      }
    }
    copy.states.push_back(std::move(state));
  }
  checkpoints_.push_back(std::move(copy));
  return absl::OkStatus();
}

inline tidemark_code RecordingSink::Checkpoint(const tidemark_sink* s,
                                               const tidemark_checkpoint* checkpoint, uint64_t* id,
                                               tidemark_error* error) {
  RecordingSink* self = Self(s);
  if (tidemark_code code = self->Enter("checkpoint", error); code != TIDEMARK_OK) return code;
  const tidemark_code code = self->Break(self->CopyCheckpoint(*checkpoint), error);
  if (code != TIDEMARK_OK) return code;
  *id = self->checkpoints_.size();
  if (self->follow_checkpoints_) self->durable_ = *id;
  return TIDEMARK_OK;
}

inline absl::Status RecordingSink::CopyDefinition(const tidemark_table& raw, uint32_t* index) {
  RecordedTable table;
  if (absl::Status s = CopyTable(raw, &table); !s.ok()) return s;
  *index = 0;
  while (*index < tables_.size() && tables_[*index].FullName() != table.FullName()) ++*index;
  if (*index == tables_.size()) {
    tables_.push_back(std::move(table));
    return absl::OkStatus();
  }
  std::vector<RecordedColumn>& columns = tables_[*index].columns;
  for (const RecordedColumn& column : table.columns) {
    const auto known = std::find_if(columns.begin(), columns.end(),
                                    [&](const RecordedColumn& c) { return c.name == column.name; });
    if (known == columns.end()) {
      columns.push_back(column);
    } else if (column.type != TIDEMARK_TYPE_UNDECLARED) {
      *known = column;
    }
  }
  return absl::OkStatus();
}

inline tidemark_code RecordingSink::DefineTable(const tidemark_sink* s, const tidemark_table* table,
                                                uint32_t* index, tidemark_error* error) {
  RecordingSink* self = Self(s);
  if (tidemark_code code = self->Enter("define_table", error); code != TIDEMARK_OK) return code;
  return self->Break(self->CopyDefinition(*table, index), error);
}

inline tidemark_code RecordingSink::DeadLetter(const tidemark_sink* s,
                                               const tidemark_dead_letter* d,
                                               tidemark_error* error) {
  RecordingSink* self = Self(s);
  if (tidemark_code code = self->Enter("dead_letter", error); code != TIDEMARK_OK) return code;
  absl::Status status = self->CheckTable(d->table, true);
  if (status.ok() && d->reason.size == 0) {
    status = absl::InternalError("a dead letter gives no reason");
  }
  if (status.ok()) {
    self->dead_letters_.push_back({d->table, d->code, Text(d->record_json), Text(d->key_json),
                                   Text(d->reason), Text(d->context_json)});
  }
  return self->Break(status, error);
}

inline tidemark_code RecordingSink::TableDone(const tidemark_sink* s, uint32_t table,
                                              tidemark_code code, tidemark_bytes reason,
                                              tidemark_error* error) {
  RecordingSink* self = Self(s);
  if (tidemark_code c = self->Enter("table_done", error); c != TIDEMARK_OK) return c;
  absl::Status status = self->CheckTable(table, false);
  if (status.ok()) {
    self->done_[self->tables_[table].FullName()] =
        absl::Status(static_cast<absl::StatusCode>(code), Text(reason));
  }
  return self->Break(status, error);
}

inline tidemark_code RecordingSink::Warn(const tidemark_sink* s, uint32_t table,
                                         tidemark_bytes text, tidemark_error* error) {
  RecordingSink* self = Self(s);
  if (tidemark_code code = self->Enter("warn", error); code != TIDEMARK_OK) return code;
  const absl::Status status = self->CheckTable(table, true);
  if (status.ok()) self->warnings_.push_back(Text(text));
  return self->Break(status, error);
}

inline tidemark_code RecordingSink::Flush(const tidemark_sink* s, tidemark_error* error) {
  RecordingSink* self = Self(s);
  if (tidemark_code code = self->Enter("flush", error); code != TIDEMARK_OK) return code;
  ++self->flush_calls_;
  return TIDEMARK_OK;
}

inline tidemark_code RecordingSink::Wait(const tidemark_sink* s, uint64_t id, int64_t timeout_us,
                                         tidemark_error* error) {
  RecordingSink* self = Self(s);
  if (tidemark_code code = self->Enter("wait", error); code != TIDEMARK_OK) return code;
  if (id != 0 && self->durable_ >= id) return TIDEMARK_OK;
  if (timeout_us > 0) self->now_us_ += timeout_us;
  if (id == 0 && timeout_us >= 0) return TIDEMARK_OK;
  // Nobody else would ever end a wait without a limit.
  return timeout_us < 0 ? FillError(error, TIDEMARK_CANCELLED, "waits for ever")
                        : FillError(error, TIDEMARK_DEADLINE_EXCEEDED, "not durable in time");
}

inline void RecordingSink::Log(const tidemark_host* h, int32_t level, tidemark_bytes text) {
  (void)level;
  RecordingSink* self = Self(h);
  const std::lock_guard<std::mutex> lock(self->mutex_);
  self->log_.push_back(Text(text));
}

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTING_RECORDING_SINK_INLINE_H_
