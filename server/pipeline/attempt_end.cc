// The part of SyncAttempt that commits and ends.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/canary.h"
#include "core/failpoint.h"
#include "core/status_context.h"
#include "pipeline/attempt_slot.h"
#include "pipeline/sync_attempt.h"

namespace tidemark {

bool SyncAttempt::TailMayCommit() const {
  // Half a transaction of the source must not be seen. Invariant I4: a key change moves whatever
  // stands at the old key. Replayed after its key was taken by another row, it would move that
  // one: it must not be durable ahead of its state.
  const bool whole = (run_.capabilities & kSourceTransactions) != 0;
  return std::none_of(slots_.begin(), slots_.end(), [whole](const auto& slot) {
    return slot->uncovered && (whole || slot->moved_keys);
  });
}

bool SyncAttempt::RowsMayRunAhead() const {
  // Rows without a key cannot be replayed onto themselves by every destination (semantics.md
  // section 6).
  return TailMayCommit() && std::none_of(slots_.begin(), slots_.end(), [](const auto& slot) {
           return slot->uncovered && slot->writer->target().keyless();
         });
}

absl::Status SyncAttempt::CommitAhead() {
  if (RowsMayRunAhead()) return Commit();
  if (!overdue_warned_) {
    run_.Warn("", absl::StrCat("a transaction stays open for more than ",
                               absl::FormatDuration(run_.options.group.max_open),
                               " because no checkpoint of the connector covers its changes"));
  }
  overdue_warned_ = true;
  return absl::OkStatus();
}

absl::Status SyncAttempt::Commit() {
  if (absl::Status s = Failpoint("attempt.commit"); !s.ok()) return s;
  auto transaction = Transaction();
  if (!transaction.ok()) return transaction.status();
  for (const auto& slot : slots_) {
    if (slot->writer == nullptr || !slot->touched || !slot->writer->unsaved_types()) continue;
    absl::Status saved = slot->writer->Ensure(**transaction, &group_.schema_changes());
    if (!saved.ok()) return Failed(FailedSide::kDestination, saved);
  }
  const size_t changes = run_.outcome.schema_changes.size();
  if (Canary("acknowledge_before_commit") && commits_.has_checkpoint()) Acknowledge();
  auto moved = group_.Commit(synced_.last());
  if (!moved.ok()) return Failed(FailedSide::kDestination, moved.status());
  end_.moved = end_.moved || *moved;
  for (size_t i = changes; i < run_.outcome.schema_changes.size(); ++i) {
    const SchemaChange& change = run_.outcome.schema_changes[i];
    const std::string prefix = change.column.empty() ? "" : absl::StrCat(change.column, ": ");
    run_.Log(1, change.table, absl::StrCat(prefix, change.what));
  }
  FoldSlots();
  const bool checkpoint = commits_.has_checkpoint();
  commits_.Clear();
  overdue_warned_ = false;
  if (absl::Status kept = run_.KeepOutside(group_.TakeAppends()); !kept.ok()) {
    return Failed(FailedSide::kDestination, kept);
  }
  if (checkpoint) Acknowledge();
  return absl::OkStatus();
}

void SyncAttempt::FoldSlots() {
  for (const auto& slot : slots_) {
    if (slot->run == nullptr) continue;
    slot->uncovered = slot->moved_keys = false;
    TableRun& table = *slot->run;
    table.done = table.done || (slot->done && slot->failure.ok());
    if (slot->counted) {
      const int64_t surplus = slot->surplus - std::exchange(slot->committed_surplus, slot->surplus);
      table.sent_surplus += surplus;
      table.counted = true;
      if (surplus != 0) {
        // Invariant I6: unequal counts are never a completed sync.
        table.counts_differ = true;
        run_.Warn(slot->name, absl::StrCat("the connector says it sent ", slot->sent,
                                           " rows and the engine received ", slot->received));
      }
    }
    if (!slot->touched || slot->writer == nullptr) continue;
    slot->touched = false;
    table.stored = slot->writer->target().target();
    table.truncate_before_us = slot->writer->truncate_before_us();
    table.columns.clear();
    for (const TargetColumn& column : table.stored->columns) table.columns.push_back(column.name);
    const std::vector<ConversionNotes> notes = slot->writer->TakeNotes();
    table.notes.resize(std::max(table.notes.size(), notes.size()));
    for (size_t i = 0; i < notes.size(); ++i) table.notes[i] += notes[i];
  }
}

void SyncAttempt::Acknowledge() {
  // Invariant I2: only what is durable, and only after it is; also in the outer store.
  if (!run_.MayAcknowledge()) return;
  Acknowledgement acknowledgement;
  acknowledgement.durable = acknowledged_ = last_checkpoint_;
  acknowledgement.version = static_cast<uint64_t>(run_.book.VersionOf(""));
  acknowledgement.releasable = run_.book.TakeReleasable();
  PassFailpoint("acknowledge.before");
  source_->Acknowledge(acknowledgement);
  PassFailpoint("acknowledge.after");
}

absl::Status SyncAttempt::FinishTables() {
  if (absl::Status s = Failpoint("attempt.finish"); !s.ok()) return s;
  for (const auto& slot : slots_) {
    if (slot->writer == nullptr || !slot->writer->truncate_waits()) continue;
    // Never delete where rows may have been lost on the way.
    TableGroup& counted = group_.Of(slot->name);
    if (!slot->failure.ok() || slot->run->counts_differ || slot->surplus != 0 ||
        counted.counts.Sum() != counted.received) {
      continue;
    }
    auto transaction = Transaction();
    if (!transaction.ok()) return transaction.status();
    absl::Status ensured = slot->writer->Ensure(**transaction, &group_.schema_changes());
    if (!ensured.ok()) return Failed(FailedSide::kDestination, ensured);
    absl::Status deleted = slot->writer->FinishTruncate(**transaction, synced_, &counted.counts);
    if (!deleted.ok()) return Failed(FailedSide::kDestination, deleted);
    slot->touched = counted.touched = true;
  }
  // Declared tables stand at the destination even when the source has no rows.
  for (const auto& slot : slots_) {
    if (slot->writer == nullptr || slot->run->stored.has_value()) continue;
    if (slot->touched || !slot->writer->target().Creatable()) continue;
    auto transaction = Transaction();
    if (!transaction.ok()) return transaction.status();
  }
  return absl::OkStatus();
}

absl::Status SyncAttempt::OnFinished(const Finished& finished) {
  if (!finished.status.ok()) {
    // What a checkpoint covers may be kept; what lies behind it goes.
    if (commits_.at_checkpoint()) {
      if (absl::Status kept = Commit(); !kept.ok()) return kept;
    }
    return Failed(FailedSide::kConnector, finished.status);
  }
  if (!finished.sent.empty()) {
    for (const auto& slot : slots_) slot->sent_at_end = 0;
    for (const TableRows& rows : finished.sent) {
      auto slot = SlotOf(rows.table);
      if (!slot.ok()) return slot.status();
      (*slot)->sent_at_end += rows.rows;
    }
    for (const auto& slot : slots_) Compare(*slot, slot->sent_at_end);
  }
  if (!TailMayCommit()) return DiscardTail();
  if (absl::Status tables = FinishTables(); !tables.ok()) return tables;
  if (group_.has_transaction() || commits_.open()) {
    if (absl::Status committed = Commit(); !committed.ok()) return committed;
  }
  FoldSlots();
  if (absl::Status kept = run_.CatchUpOutside(); !kept.ok()) {
    return Failed(FailedSide::kDestination, kept);
  }
  if (acknowledged_ < last_checkpoint_) Acknowledge();
  for (const auto& slot : slots_) {
    if (slot->run != nullptr) slot->run->done = slot->failure.ok();
  }
  return End();
}

absl::Status SyncAttempt::End() {
  ended_ = true;
  if (absl::Status s = Failpoint("attempt.end"); !s.ok()) return s;
  // Everything is durable: a connector that ends badly after that costs a warning only.
  if (absl::Status closed = source_->Close(); !closed.ok()) {
    run_.Warn("", absl::StrCat("the connector did not end in order: ", closed.message()));
  }
  return absl::OkStatus();
}

absl::Status SyncAttempt::DiscardTail() {
  uint64_t rows = 0;
  for (const auto& slot : slots_) {
    if (slot->run != nullptr) rows += group_.Of(slot->name).received;
  }
  const bool whole = (run_.capabilities & kSourceTransactions) != 0;
  run_.Warn("", absl::StrCat("the connector ended without a checkpoint behind ",
                             whole ? "its last transaction" : "changes of keys", ": the last ",
                             rows, " changes are not kept and come again next time"));
  run_.tail_discarded = true;
  if (absl::Status s = Failpoint("attempt.tail_discarded"); !s.ok()) return s;
  group_.Rollback();
  return End();
}

absl::Status SyncAttempt::OnInterrupt(int requests) {
  end_.interrupted = ended_ = true;
  PassFailpoint("attempt.interrupted");
  absl::Status status;
  if (requests == 1 && commits_.open() && (commits_.at_checkpoint() || RowsMayRunAhead())) {
    status = Commit();
  }
  source_->Cancel();
  return status;
}

}  // namespace tidemark
