#include "pipeline/sync_attempt.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/canary.h"
#include "core/failpoint.h"
#include "core/status_context.h"
#include "core/time_text.h"
#include "pipeline/attempt_slot.h"
#include "pipeline/limited_source.h"
#include "pipeline/table_rules.h"
#include "state/state_corruption.h"

namespace tidemark {
namespace {

// A blocked source is looked after this often, so that an interrupt is seen.
constexpr absl::Duration kStep = absl::Milliseconds(100);
constexpr size_t kEntryBytesMax = 10 * 1024 * 1024;
constexpr size_t kEntryBytesWarn = 1024 * 1024;

absl::Status Misbehaved(absl::string_view what) {
  return absl::InternalError(absl::StrCat("plugin misbehaved: ", what));
}

}  // namespace

SyncAttempt::SyncAttempt(SyncRun& run, uint32_t attempt)
    : run_(run),
      attempt_(attempt),
      group_(run),
      commits_(run.options.group),
      synced_(*run.parts.clock, run.last_synced_us) {}

SyncAttempt::~SyncAttempt() = default;

absl::Status SyncAttempt::Failed(FailedSide side, absl::Status status) {
  end_.side = side;
  return status;
}

AttemptEnd SyncAttempt::Run() {
  absl::Status status = Begin();
  while (status.ok() && !ended_) status = Step();
  group_.Rollback();
  end_.status = std::move(status);
  run_.last_synced_us = std::max(run_.last_synced_us, synced_.last());
  for (const auto& slot : slots_) {
    if (slot->run != nullptr && !slot->failure.ok()) slot->run->failure = slot->failure;
  }
  return end_;
}

absl::Status SyncAttempt::Begin() {
  // What an earlier attempt committed and could not store outside.
  if (absl::Status kept = run_.CatchUpOutside(); !kept.ok()) {
    return Failed(FailedSide::kDestination, kept);
  }
  for (StoredTable& stored : run_.parts.destination->TakeReshaped()) {
    TableRun& table = run_.Table(stored.table.source_name);
    table.shared = stored.shared;
    table.stored = std::move(stored.table);
  }
  auto source = run_.parts.source();
  if (!source.ok()) return source.status();
  source_ = *std::move(source);
  if (RateLimit* const limit = run_.rate(); limit != nullptr) {
    source_ = LimitRate(std::move(source_), limit, run_.parts.clock);
  }
  if (const int requests = run_.interrupts(); requests > 0) return OnInterrupt(requests);
  auto description = source_->Describe();
  if (!description.ok()) return description.status();
  run_.capabilities = description->capabilities;
  if (const int requests = run_.interrupts(); requests > 0) return OnInterrupt(requests);
  auto tables = source_->Schema();
  if (!tables.ok()) return tables.status();
  for (uint32_t i = 0; i < tables->size(); ++i) {
    if (absl::Status defined = DefineTable(i, (*tables)[i]); !defined.ok()) return defined;
  }
  if (absl::Status names = CheckNames(); !names.ok()) return names;
  if (const StateEntry* shared = run_.book.Find("")) {
    if (absl::Status s = run_.CheckShared(*shared); !s.ok()) return s;
  }
  if (const int requests = run_.interrupts(); requests > 0) return OnInterrupt(requests);
  if (absl::Status valid = ValidateState(); !valid.ok()) return valid;
  for (const auto& slot : slots_) LogBeginning(*slot);
  if (absl::Status s = Failpoint("attempt.begin"); !s.ok()) return s;
  return StartSource();
}

absl::Status SyncAttempt::ValidateState() {
  if (!run_.options.validate_state || attempt_ > 1) return absl::OkStatus();
  const std::vector<StateEntry> states = run_.StatesForSource();
  if (states.empty()) return absl::OkStatus();
  absl::Status verdict = source_->ValidateState(states);
  // A connector that cannot tell is not asked.
  if (verdict.ok() || absl::IsUnimplemented(verdict)) return absl::OkStatus();
  if (IsTransportFailure(verdict)) return verdict;
  std::vector<std::string> refused;
  for (const StateEntry& state : states) {
    if (states.size() > 1 && source_->ValidateState({&state, 1}).ok()) continue;
    refused.push_back(EntryName(state));
  }
  if (refused.empty()) {  // only together
    for (const StateEntry& state : states) refused.push_back(EntryName(state));
  }
  return RefusalError(verdict, refused);
}

absl::Status SyncAttempt::DefineTable(uint32_t index, const TableSchema& table) {
  const std::string name = QualifiedName(table);
  if (index < slots_.size()) {
    Slot& slot = *slots_[index];
    if (slot.writer == nullptr) return absl::OkStatus();
    slot.run->unknown_columns = UnknownColumns(table, *slot.rule);
    ensured_ = false;
    return slot.writer->Grow(table);
  }
  if (index > slots_.size()) {
    return Misbehaved(
        absl::StrCat("table ", name, " has the number ", index, " and not ", slots_.size()));
  }
  auto slot = std::make_unique<Slot>();
  slot->name = name;
  const TableRule* rule = RuleOf(run_.options, table);
  if (IsLeftOut(run_.options, table)) run_.left_out.insert(name);
  if (rule != nullptr) {
    TableRun& known = run_.Table(name);
    known.known_only = false;
    slot->run = &known;
    slot->rule = rule;
    known.failure = known.ended ? known.failure : absl::OkStatus();
    if (!known.ended) {
      const DestinationLimits limits = run_.parts.destination->limits();
      const TargetTable* stored = known.stored.has_value() ? &*known.stored : nullptr;
      auto target = TableTarget::Create(table, *rule, run_.options.naming, limits, stored);
      if (!target.ok()) return target.status();
      known.unknown_columns = UnknownColumns(table, *rule);
      known.outcome.destination_table = target->target().name;
      if (!target->guard_warning().empty()) run_.Warn(name, target->guard_warning());
      ConversionOptions conversion;
      conversion.strip_text_nul = run_.options.strip_text_nul;
      conversion.keeps_nan = limits.keeps_nan;
      conversion.keeps_infinity = limits.keeps_infinity;
      conversion.max_value_bytes = limits.max_value_bytes;
      slot->writer = std::make_unique<TableWriter>(
          *std::move(target), conversion, run_.options.infer_dates, known.truncate_before_us);
      slot->selected = SelectedColumns(table, *rule);
      // What other producers wrote is not ours to write again.
      slot->begins_again = known.stored.has_value() && !known.shared && run_.BeginsAgain(name);
    }
  }
  slots_.push_back(std::move(slot));
  ensured_ = false;
  return absl::OkStatus();
}

absl::Status SyncAttempt::CheckNames() const {
  std::vector<const TargetTable*> targets;
  for (const auto& slot : slots_) {
    if (slot->writer != nullptr) targets.push_back(&slot->writer->target().target());
  }
  return CheckTableNames(targets);
}

void SyncAttempt::LogBeginning(Slot& slot) {
  if (slot.writer == nullptr || slot.run->logged) return;
  slot.run->logged = true;
  const StateEntry* entry = run_.book.Find(slot.name);
  if (entry == nullptr) entry = run_.book.Find("");
  const bool fresh = entry == nullptr || (entry->body.empty() && entry->cursor.empty());
  TableOutcome& outcome = slot.run->outcome;
  outcome.full = run_.options.full || fresh;
  if (outcome.full) {
    run_.Log(1, slot.name, "Performing full sync");
    return;
  }
  outcome.from = entry->cursor;
  std::string from = entry->cursor;
  if (run_.options.from_us != std::numeric_limits<int64_t>::min()) {
    from = FormatReportTime(run_.options.from_us);
  } else if (from.empty()) {
    from = absl::StrCat("version ", entry->version);
  }
  const absl::Time to = run_.options.until_us == std::numeric_limits<int64_t>::max()
                            ? absl::FromUnixMicros(run_.outcome.started_at_us)
                            : absl::FromUnixMicros(run_.options.until_us);
  run_.Log(1, slot.name,
           absl::StrCat("Performing incremental sync from ", from, " to ", FormatReportTime(to)));
}

absl::Status SyncAttempt::StartSource() {
  const SyncOptions& options = run_.options;
  // What a full sync has committed itself is not read again by its next attempt.
  const auto mode = [this](const std::string& table) {
    return run_.options.full && !run_.book.Moved(table) && !run_.book.Moved("")
               ? SelectionMode::kFull
               : SelectionMode::kIncremental;
  };
  UpdateStart start;
  start.states = run_.StatesForSource();
  start.releasable = run_.book.Releasable();
  for (const auto& slot : slots_) {
    TableSelection& selection = start.selections.emplace_back();
    selection.mode = slot->writer == nullptr ? SelectionMode::kSkip : mode(slot->name);
    selection.columns = slot->selected;
  }
  start.new_tables = mode("");
  start.connection = options.connection;
  start.sync_id = run_.outcome.sync_id;
  start.epoch = static_cast<uint64_t>(run_.epoch);
  start.attempt = attempt_;
  start.continuous = options.continuous;
  start.page_rows = options.page_rows;
  start.from_us = options.from_us;
  start.until_us = options.until_us;
  return source_->Start(start);
}

absl::Status SyncAttempt::Step() {
  if (run_.parts.outer != nullptr) {
    if (absl::Status held = run_.parts.outer->Renew(); !held.ok()) {
      return Failed(FailedSide::kDestination, held);
    }
  }
  if (const int requests = run_.interrupts(); requests > 0) return OnInterrupt(requests);
  absl::Time deadline = absl::InfinitePast();
  if (!commits_.DueWhenIdle()) {
    const absl::Duration patience = commits_.Patience(run_.parts.clock->Monotonic());
    // An overdue group that must stay open waits like any other.
    const bool stuck = overdue_warned_ && !commits_.at_checkpoint();
    deadline = run_.parts.clock->Now() + (stuck ? kStep : std::min(kStep, patience));
  }
  auto event = source_->Next(deadline);
  if (!event.ok()) {
    if (run_.interrupts() > 0) return OnInterrupt(run_.interrupts());
    // What a checkpoint covers may be kept; the failure itself comes after it.
    if (commits_.at_checkpoint() || Canary("commit_what_a_dead_plugin_left")) {
      if (absl::Status kept = Commit(); !kept.ok()) return kept;
    }
    return Failed(FailedSide::kConnector, event.status());
  }
  if (!event->has_value()) return OnQuiet();
  if (absl::Status handled = OnEvent(**std::move(event)); !handled.ok() || ended_) return handled;
  if (commits_.Overdue(run_.parts.clock->Monotonic())) return CommitAhead();
  return absl::OkStatus();
}

absl::Status SyncAttempt::OnQuiet() {
  const absl::Duration now = run_.parts.clock->Monotonic();
  if (commits_.DueWhenIdle() || commits_.Due(now)) return Commit();
  if (commits_.Overdue(now)) return CommitAhead();
  run_.ShowProgress("", rows_, "waiting");
  return absl::OkStatus();
}

absl::Status SyncAttempt::OnEvent(SourceEvent event) {
  if (auto* batch = std::get_if<ChangeBatch>(&event)) return OnBatch(std::move(*batch));
  if (auto* checkpoint = std::get_if<Checkpoint>(&event)) return OnCheckpoint(*checkpoint);
  if (auto* letter = std::get_if<SourceDeadLetter>(&event)) return OnDeadLetter(std::move(*letter));
  if (auto* done = std::get_if<TableDone>(&event)) return OnTableDone(*done);
  if (auto* finished = std::get_if<Finished>(&event)) return OnFinished(*finished);
  if (std::holds_alternative<FlushRequest>(event)) return OnFlush();
  if (auto* definition = std::get_if<TableDefinition>(&event)) {
    absl::Status defined = DefineTable(definition->index, definition->table);
    if (defined.ok()) defined = CheckNames();
    if (defined.ok()) LogBeginning(*slots_[definition->index]);
    return defined;
  }
  if (auto* warning = std::get_if<SourceWarning>(&event)) {
    run_.Warn(NameOf(warning->table), warning->text);
  } else if (auto* log = std::get_if<SourceLog>(&event)) {
    run_.Log(log->level, "", log->text);
  } else if (auto* progress = std::get_if<SourceProgress>(&event)) {
    run_.ShowProgress(NameOf(progress->table), rows_, progress->phase);
  }
  return absl::OkStatus();
}

absl::StatusOr<SyncAttempt::Slot*> SyncAttempt::SlotOf(uint32_t table) {
  if (table < slots_.size()) return slots_[table].get();
  return Misbehaved(absl::StrCat("table number ", table, " of ", slots_.size()));
}

std::string SyncAttempt::NameOf(uint32_t table) const {
  return table < slots_.size() ? slots_[table]->name : "";
}

absl::StatusOr<DestinationTransaction*> SyncAttempt::Transaction() {
  auto transaction = group_.Transaction();
  if (!transaction.ok()) return Failed(FailedSide::kDestination, transaction.status());
  if (ensured_) return transaction;
  ensured_ = true;
  for (const auto& slot : slots_) {
    // Inferred tables wait for their first row: nothing is known of them yet.
    if (slot->writer == nullptr || !slot->writer->target().Creatable()) continue;
    absl::Status made = slot->writer->Ensure(**transaction, &group_.schema_changes());
    if (made.ok() && slot->begins_again) made = slot->writer->BeginAgain(**transaction, synced_);
    if (!made.ok()) return Failed(FailedSide::kDestination, made);
    slot->touched = true;
  }
  return transaction;
}

absl::Status SyncAttempt::OnBatch(ChangeBatch batch) {
  auto found = SlotOf(batch.table);
  if (!found.ok()) return found.status();
  Slot& slot = **found;
  slot.received += batch.row_count;
  rows_ += batch.row_count;
  if (slot.writer == nullptr) return absl::OkStatus();  // not selected: ignored
  if (slot.done) return Misbehaved(absl::StrCat("rows of table ", slot.name, " after its end"));
  if (absl::Status s = Failpoint("attempt.batch"); !s.ok()) return s;
  auto transaction = Transaction();
  if (!transaction.ok()) return transaction.status();
  const uint32_t received = batch.row_count;
  const size_t bytes = batch.encoded_bytes;
  CountCalls(batch, &group_.calls());
  TableGroup& counted = group_.Of(slot.name);
  std::vector<BadRow> bad;
  absl::Status written = slot.writer->Write(&batch, **transaction, synced_, &counted.counts, &bad,
                                            &group_.schema_changes());
  if (!written.ok()) return Failed(FailedSide::kDestination, written);
  slot.touched = counted.touched = true;
  slot.uncovered = true;
  slot.moved_keys = slot.moved_keys || !batch.before_rows.empty();
  counted.received += received;
  counted.counts.dead_letter += bad.size();
  group_.AddBytes(bytes);
  group_.AddTimes(batch);
  commits_.AddChanges(received, bytes, run_.parts.clock->Monotonic());
  run_.ShowProgress(slot.name, rows_, "");
  group_.AddRows(std::move(batch), slot.writer->target().target());
  return bad.empty() ? absl::OkStatus() : OnBadRows(slot, std::move(bad));
}

absl::Status SyncAttempt::OnBadRows(Slot& slot, std::vector<BadRow> bad) {
  for (BadRow& row : bad) {
    if (slot.rule->on_error == OnError::kStop && !row.on_error_continue) {
      return StopTable(slot, row);
    }
    DeadLetter letter;
    letter.table = slot.name;
    letter.key_json = std::move(row.key_json);
    letter.change_json = std::move(row.change_json);
    letter.reason = std::string(row.status.message());
    letter.code = row.status.code();
    letter.context_json = Context(row);
    absl::Status added = group_.AddDeadLetter(letter, row.record_id);
    if (!added.ok()) return Failed(FailedSide::kDestination, added);
    if (run_.parts.observer != nullptr) run_.parts.observer->OnDeadLetter(letter, row.row);
  }
  return absl::OkStatus();
}

std::string SyncAttempt::Context(const BadRow& row) const {
  std::string context =
      absl::StrCat("{\"attempt\":", attempt_, ",\"after_checkpoint\":", last_checkpoint_);
  if (row.meta.event_time_us != kUnknownEventTime) {
    absl::StrAppend(&context, ",\"event_time\":\"", FormatUtcMicros(row.meta.event_time_us), "\"");
  }
  if (row.meta.sequence != 0) {
    absl::StrAppend(&context, ",\"sequence\":", row.meta.sequence,
                    ",\"subsequence\":", row.meta.subsequence);
  }
  return absl::StrCat(context, "}");
}

absl::Status SyncAttempt::StopTable(Slot& slot, const BadRow& row) {
  const absl::Status failure = WithContext(
      absl::StrCat("table ", slot.name, row.record_id.empty() ? "" : ", row ", row.record_id),
      row.status);
  run_.AddError(failure, slot.name, row.record_id);
  slot.run->ended = true;
  slot.failure = failure;
  // A connection-wide state would move past the rows of this table: then nothing can go on.
  const bool others = run_.OthersMayGoOn();
  if (others) {
    end_.without_table = true;
    ended_ = true;
    return absl::OkStatus();
  }
  return Failed(FailedSide::kConnector, failure);
}

absl::Status SyncAttempt::OnDeadLetter(SourceDeadLetter event) {
  if (event.table != kNoTable) {
    auto found = SlotOf(event.table);
    if (!found.ok()) return found.status();
    event.letter.table = (*found)->name;
    if ((*found)->writer == nullptr) return absl::OkStatus();
    (*found)->uncovered = true;
  }
  if (event.letter.reason.empty()) event.letter.reason = "no reason given";
  auto transaction = Transaction();
  if (!transaction.ok()) return transaction.status();
  TableGroup& counted = group_.Of(event.letter.table);
  counted.touched = true;
  ++counted.received;
  ++counted.counts.dead_letter;
  commits_.AddChanges(1, event.letter.change_json.size(), run_.parts.clock->Monotonic());
  absl::Status added = group_.AddDeadLetter(event.letter, "");
  return added.ok() ? added : Failed(FailedSide::kDestination, added);
}

absl::Status SyncAttempt::OnTableDone(const TableDone& done) {
  auto found = SlotOf(done.table);
  if (!found.ok()) return found.status();
  (*found)->done = true;
  (*found)->failure = done.status;
  if (!done.status.ok()) {
    run_.Log(3, (*found)->name, absl::StrCat("the table failed: ", done.status.message()));
  }
  return absl::OkStatus();
}

absl::Status SyncAttempt::OnCheckpoint(const Checkpoint& checkpoint) {
  if (checkpoint.id <= last_checkpoint_) {
    return Misbehaved(absl::StrCat("checkpoint ", checkpoint.id, " after ", last_checkpoint_));
  }
  if (absl::Status s = Failpoint("attempt.checkpoint"); !s.ok()) return s;
  bool same = !commits_.open();
  for (const StateEntry& state : checkpoint.states) {
    const std::string name = EntryName(state);
    const std::string shown = name.empty() ? "the connection" : name;
    if (state.body.size() > kEntryBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat("the state of ", shown, " has ",
                                                     state.body.size(), " bytes; the limit is ",
                                                     kEntryBytesMax));
    }
    if (state.body.size() > kEntryBytesWarn) {
      run_.Warn(name, "the state is larger than 1 MiB: every commit writes it again");
    }
    if (absl::Status s = run_.CheckShared(state); !s.ok()) return s;
    if (absl::Status covered = Cover(name); !covered.ok()) return covered;
    same = same && run_.book.Same(state);
  }
  for (const TableRows& rows : checkpoint.rows_since_last) {
    auto slot = SlotOf(rows.table);
    if (!slot.ok()) return slot.status();
    Compare(**slot, (*slot)->sent + rows.rows);
  }
  last_checkpoint_ = checkpoint.id;
  ++group_.calls().checkpoints;
  if (same) {  // durable already
    run_.outcome.checkpoints += std::exchange(group_.calls().checkpoints, 0);
    Acknowledge();
    return absl::OkStatus();
  }
  for (const StateEntry& state : checkpoint.states) group_.AddState(state);
  const absl::Duration now = run_.parts.clock->Monotonic();
  commits_.AddCheckpoint(now, TailMayCommit());
  return commits_.Due(now) ? Commit() : absl::OkStatus();
}

absl::Status SyncAttempt::Cover(const std::string& entry) {
  // An entry that is stored may outlive its table at the source.
  bool known = entry.empty() || run_.book.Find(entry) != nullptr;
  for (const auto& slot : slots_) {
    if (!entry.empty() && slot->name != entry) continue;
    slot->uncovered = slot->moved_keys = false;
    known = true;
  }
  if (known) return absl::OkStatus();
  return Misbehaved(absl::StrCat("a checkpoint names table ", entry,
                                 ", which is neither in the schema nor defined"));
}

void SyncAttempt::Compare(Slot& slot, uint64_t sent) {
  slot.sent = sent;
  slot.counted = true;
  slot.surplus = static_cast<int64_t>(slot.sent) - static_cast<int64_t>(slot.received);
}

absl::Status SyncAttempt::OnFlush() {
  commits_.AddFlush();
  if (commits_.at_checkpoint()) return Commit();
  // The connector waits for the checkpoint; the rows behind it go along.
  return commits_.flush() && RowsMayRunAhead() ? Commit() : absl::OkStatus();
}

}  // namespace tidemark
