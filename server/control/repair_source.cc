#include "control/repair_source.h"

#include <deque>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "control/row_image.h"
#include "control/table_comparison.h"
#include "pipeline/value_conversion.h"

namespace tidemark {
namespace {

constexpr size_t kKeysAtOnce = 1000;

// A copy of the value whose text lives in the arena.
Value Keep(const Value& value, TextArena* arena) {
  return value.is_text() ? Value::Text(value.kind, arena->Keep(value.view())) : value;
}

bool Extends(const TableSchema& wider, const TableSchema& known) {
  if (wider.columns.size() < known.columns.size()) return false;
  for (size_t i = 0; i < known.columns.size(); ++i) {
    if (wider.columns[i].name != known.columns[i].name) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<ConnectorDescription> RepairSource::Describe() {
  absl::StatusOr<ConnectorDescription> description = source().Describe();
  // Rows are repaired one by one, whatever transaction brought them.
  if (description.ok()) description->capabilities &= ~uint64_t{kSourceTransactions};
  return description;
}

absl::StatusOr<std::vector<TableSchema>> RepairSource::Schema() {
  absl::StatusOr<std::vector<TableSchema>> tables = source().Schema();
  if (tables.ok()) tables_ = *tables;
  return tables;
}

absl::Status RepairSource::Start(const UpdateStart& start) {
  states_ = start.states;
  for (const TableRepair& repair : repairs_) {
    if (repair.number < tables_.size() && QualifiedName(tables_[repair.number]) == repair.name) {
      continue;
    }
    return absl::FailedPreconditionError(
        "the connector offers other tables than while it was verified; verify again");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<SourceEvent>> RepairSource::Next(absl::Time deadline) {
  while (true) {
    waits_for_more_ = false;
    absl::StatusOr<std::optional<SourceEvent>> event = Advance(deadline);
    if (!event.ok() || event->has_value() || waits_for_more_) return event;
  }
}

absl::StatusOr<std::optional<SourceEvent>> RepairSource::Advance(absl::Time deadline) {
  if (repair_ == repairs_.size()) {
    Finished finished;
    for (const auto& [table, rows] : sent_) finished.sent.push_back({table, rows});
    return SourceEvent(std::move(finished));
  }
  TableRepair& repair = repairs_[repair_];
  switch (step_) {
    case Step::kBegin: {
      since_last_ = 0;
      if (absl::Status status = repair.keys->Rewind(); !status.ok()) return status;
      step_ = repair.upserts ? Step::kUpserts : Step::kDeletes;
      return std::nullopt;
    }
    case Step::kUpserts:
      if (absl::Status status = BeginRead(repair); !status.ok()) return status;
      return std::nullopt;
    case Step::kReading: {
      absl::StatusOr<std::optional<SourceEvent>> event = source().Next(deadline);
      if (!event.ok()) return event;
      waits_for_more_ = !event->has_value();
      if (waits_for_more_) return event;
      return OnRead(*std::move(*event));
    }
    case Step::kDeletes:
      return NextDeletes(repair);
    case Step::kDone:
      step_ = Step::kBegin;
      ++repair_;
      return SourceEvent(TableDone{repair.number, absl::OkStatus()});
  }
  return std::nullopt;
}

absl::Status RepairSource::BeginRead(TableRepair& repair) {
  ReadStart start;
  start.table = repair.number;
  start.mode = repair.whole;
  std::deque<std::deque<std::string>> texts;
  if (repair.by_keys) {
    start.mode = kReadKeys;
    absl::StatusOr<std::vector<std::string>> keys = TakeKeys(repair, false);
    if (!keys.ok()) return keys.status();
    if (keys->empty()) {
      step_ = Step::kDeletes;
      return repair.keys->Rewind();
    }
    start.key_count = static_cast<uint32_t>(keys->size());
    for (const std::string& key : *keys) {
      absl::StatusOr<std::vector<Value>> values = DecodeKey(key, &texts.emplace_back());
      if (!values.ok()) return values.status();
      start.keys.insert(start.keys.end(), values->begin(), values->end());
    }
  }
  step_ = Step::kReading;
  return source().StartRead(start);
}

absl::StatusOr<std::optional<SourceEvent>> RepairSource::OnRead(SourceEvent event) {
  TableRepair& repair = repairs_[repair_];
  if (const auto* batch = std::get_if<ChangeBatch>(&event); batch != nullptr) {
    sent_[repair.number] += batch->row_count;
    since_last_ += batch->row_count;
    return event;
  }
  if (const auto* definition = std::get_if<TableDefinition>(&event); definition != nullptr) {
    if (definition->index < tables_.size() &&
        !Extends(definition->table, tables_[definition->index])) {
      // A read stands alone and may begin with fewer columns again: they are known already.
      if (Extends(tables_[definition->index], definition->table)) return std::nullopt;
    }
    if (absl::Status status = Define(*definition); !status.ok()) return status;
    return event;
  }
  const auto* finished = std::get_if<Finished>(&event);
  if (finished == nullptr) return event;
  if (!finished->status.ok()) return event;
  if (repair.by_keys) {
    step_ = Step::kUpserts;  // the next thousand
  } else {
    step_ = Step::kDeletes;
    if (absl::Status status = repair.keys->Rewind(); !status.ok()) return status;
  }
  return MakeCheckpoint(repair);
}

absl::Status RepairSource::Define(const TableDefinition& definition) {
  if (definition.index > tables_.size()) {
    return absl::DataLossError("the connector defines a table with a number out of turn");
  }
  if (definition.index == tables_.size()) {
    tables_.push_back(definition.table);
    return absl::OkStatus();
  }
  if (!Extends(definition.table, tables_[definition.index])) {
    return absl::FailedPreconditionError(
        absl::StrCat("the connector gives the columns of ", QualifiedName(definition.table),
                     " another order in each read; run a sync with --full instead"));
  }
  tables_[definition.index] = definition.table;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<SourceEvent>> RepairSource::NextDeletes(TableRepair& repair) {
  std::vector<std::string> keys;
  if (repair.deletes) {
    absl::StatusOr<std::vector<std::string>> taken = TakeKeys(repair, true);
    if (!taken.ok()) return taken.status();
    keys = *std::move(taken);
  }
  if (keys.empty()) {
    step_ = Step::kDone;
    return since_last_ > 0 ? MakeCheckpoint(repair) : std::nullopt;
  }
  ChangeBatch batch;
  batch.table = repair.number;
  batch.column_count = static_cast<uint32_t>(tables_[repair.number].columns.size());
  batch.bytes.push_back(std::make_unique<TextArena>());
  for (const std::string& key : keys) {
    if (absl::Status status = AddDelete(repair, key, &batch); !status.ok()) return status;
  }
  batch.row_count = static_cast<uint32_t>(batch.ops.size());
  sent_[repair.number] += batch.row_count;
  since_last_ += batch.row_count;
  return SourceEvent(std::move(batch));
}

absl::Status RepairSource::AddDelete(const TableRepair& repair, absl::string_view key,
                                     ChangeBatch* batch) {
  auto* arena = static_cast<TextArena*>(batch->bytes.front().get());
  const std::vector<Column>& columns = tables_[repair.number].columns;
  std::vector<Value> row(columns.size());
  const auto row_number = static_cast<uint32_t>(batch->ops.size());
  if (repair.stored_row) {
    const absl::StatusOr<TableRepair::StoredRow> stored = repair.stored_row(key);
    if (!stored.ok()) return stored.status();
    if (stored->empty()) return absl::OkStatus();  // gone meanwhile
    for (const auto& [name, value] : *stored) {
      for (size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].name == name) row[i] = Keep(value, arena);
      }
    }
    batch->before_rows.push_back(row_number);
    batch->before.insert(batch->before.end(), row.begin(), row.end());
  } else {
    std::deque<std::string> texts;
    const absl::StatusOr<std::vector<Value>> values = DecodeKey(key, &texts);
    if (!values.ok()) return values.status();
    size_t next = 0;
    for (const std::string& name : repair.key_columns) {
      for (size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].name == name && next < values->size()) {
          row[i] = Keep((*values)[next], arena);
        }
      }
      ++next;
    }
  }
  batch->ops.push_back(static_cast<uint8_t>(ChangeKind::kDelete));
  batch->values.insert(batch->values.end(), row.begin(), row.end());
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> RepairSource::TakeKeys(TableRepair& repair, bool extra) {
  std::vector<std::string> keys;
  std::string record;
  while (keys.size() < kKeysAtOnce) {
    const absl::StatusOr<bool> more = repair.keys->Next(&record);
    if (!more.ok()) return more.status();
    if (!*more) break;
    if ((DifferenceOf(record) == Difference::kExtra) == extra) keys.emplace_back(KeyOf(record));
  }
  return keys;
}

std::optional<SourceEvent> RepairSource::MakeCheckpoint(const TableRepair& repair) {
  const StateEntry* entry = nullptr;
  for (const StateEntry& state : states_) {
    const bool own = EntryName(state) == repair.name;
    if (own || (state.connection_wide() && entry == nullptr)) entry = &state;
    if (own) break;
  }
  // Without a state, the rows commit with the end of the sync.
  if (entry == nullptr) return std::nullopt;
  Checkpoint checkpoint;
  checkpoint.id = ++checkpoints_;
  checkpoint.states = {*entry};
  checkpoint.rows_since_last = {{repair.number, std::exchange(since_last_, 0)}};
  return SourceEvent(std::move(checkpoint));
}

}  // namespace tidemark
