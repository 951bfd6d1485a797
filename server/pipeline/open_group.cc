#include "pipeline/open_group.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

constexpr size_t kRecordIds = 1000;

}  // namespace

OpenGroup::OpenGroup(SyncRun& run) : run_(run) {}

absl::StatusOr<DestinationTransaction*> OpenGroup::Transaction() {
  if (transaction_ == nullptr) {
    auto begun = run_.parts.destination->Begin();
    if (!begun.ok()) return begun.status();
    transaction_ = *std::move(begun);
  }
  return transaction_.get();
}

void OpenGroup::AddRows(ChangeBatch batch, const TargetTable& target) {
  if (!run_.options.list_record_ids || batch.row_count == 0) return;
  AppliedRows rows;
  for (const TargetColumn& column : target.columns) {
    rows.names.push_back(column.name);
    rows.keys.push_back(column.key);
    rows.sensitive.push_back(column.sensitive);
  }
  applied_rows_ += batch.row_count;
  rows.batch = std::move(batch);
  applied_.push_back(std::move(rows));
  while (applied_rows_ - applied_.front().batch.row_count >= kRecordIds) {
    applied_rows_ -= applied_.front().batch.row_count;
    applied_.pop_front();
  }
}

absl::Status OpenGroup::AddDeadLetter(const DeadLetter& letter, const std::string& record_id) {
  auto transaction = Transaction();
  if (!transaction.ok()) return transaction.status();
  absl::Status written = (*transaction)->WriteDeadLetter(run_.outcome.sync_id, letter);
  if (!written.ok()) return written;
  const bool coded = letter.code != absl::StatusCode::kOk;
  letters_.push_back(
      {letter.table, record_id, letter.reason, coded ? letter.code : absl::StatusCode::kUnknown});
  const uint64_t count = run_.dead_letters + letters_.size();
  if (count <= run_.options.max_dead_letters) return absl::OkStatus();
  const std::string& first =
      run_.dead_letters > 0 ? run_.first_dead_letter : letters_.front().reason;
  return absl::FailedPreconditionError(
      absl::StrCat(count, " dead letters are more than max_dead_letters (",
                   run_.options.max_dead_letters, "); the first: ", first));
}

void OpenGroup::AddTimes(const ChangeBatch& batch) {
  has_rows_ = has_rows_ || batch.row_count > 0;
  for (const RowMeta& meta : batch.meta) {
    newest_event_us_ = std::max(newest_event_us_, meta.event_time_us);
  }
}

std::string OpenGroup::EntryFor(const std::string& table) const {
  if (states_.count(table) != 0 || run_.book.Find(table) != nullptr) return table;
  if (states_.count("") != 0 || run_.book.HasConnectionWide()) return "";
  return (run_.capabilities & kCanTableState) != 0 ? table : "";
}

CommitRequest OpenGroup::Request(int64_t last_synced_us) const {
  std::map<std::string, EntryCommit> entries;
  const auto entry = [&](const std::string& name) -> EntryCommit& {
    EntryCommit& commit = entries[name];
    commit.entry = name;
    commit.expected_version = run_.book.VersionOf(name);
    return commit;
  };
  for (const auto& [name, state] : states_) {
    EntryCommit& commit = entry(name);
    commit.state = state;
    // A full sync starts anew, maybe behind what the versions before it say: none of them may be
    // released after it (Invariant I2, NewestReleasable).
    const bool anew = run_.options.full && commit.expected_version > 0 && !run_.book.Moved(name);
    if (anew) commit.kind = StateKind::kReset;
  }
  for (const auto& [table, group] : tables_) {
    if (!group.touched) continue;
    // Dead letters of no table alone do not make a connection-wide entry.
    if (table.empty() && states_.count("") == 0 && !run_.book.HasConnectionWide()) continue;
    entry(EntryFor(table)).counts += group.counts;
  }
  CommitRequest request;
  request.sync_id = run_.outcome.sync_id;
  request.group_id = run_.random.Hex(16);
  request.last_synced_us = last_synced_us;
  for (auto& [name, commit] : entries) request.entries.push_back(std::move(commit));
  return request;
}

absl::StatusOr<bool> OpenGroup::Commit(int64_t last_synced_us) {
  auto transaction = Transaction();
  if (!transaction.ok()) {
    Clear();
    return transaction.status();
  }
  const CommitRequest request = Request(last_synced_us);
  const absl::Duration began = run_.parts.clock->Monotonic();
  auto result = transaction_->Commit(request);
  transaction_.reset();
  if (!result.ok()) {
    Clear();
    return result.status();
  }
  const bool moved = run_.book.Committed(request, *result);
  if (run_.parts.outer != nullptr) CollectAppends(request, *result);
  run_.last_synced_us = last_synced_us;
  ++run_.outcome.commits;
  run_.outcome.commit_latency.Add(run_.parts.clock->Monotonic() - began);
  Fold();
  Clear();
  return moved;
}

void OpenGroup::CollectAppends(const CommitRequest& request, const CommitResult& result) {
  appends_.clear();
  for (const StateVersion& version : result.versions) {
    const StateEntry* entry = run_.book.Find(version.entry);  // as it is committed now
    if (entry == nullptr) continue;
    VersionAppend& append = appends_.emplace_back();
    append.schema = entry->schema;
    append.table = entry->table;
    append.version = version;
    append.version.body = entry->body;
    append.expected_chain = version.prev_chain;
    for (const EntryCommit& commit : request.entries) {
      if (commit.entry == version.entry) append.expected_version = commit.expected_version;
    }
  }
}

void OpenGroup::Fold() {
  const int64_t now_us = run_.NowUs();
  for (auto& [name, group] : tables_) {
    if (!group.touched) continue;
    TableRun& table = run_.Table(name);
    table.outcome.counts += group.counts;
    table.outcome.received += group.received;
    table.outcome.last_commit_us = now_us;
    // Invariant I5: every change is counted exactly once.
    if (group.counts.Sum() != group.received) {
      table.counts_differ = true;
      run_.Warn(name,
                absl::StrCat("the engine received ", group.received,
                             " changes and the destination accounts for ", group.counts.Sum()));
    }
  }
  for (const Letter& letter : letters_) {
    TableRun& table = run_.Table(letter.table);
    if (table.dead_letters++ == 0) table.first_dead_letter = letter.reason;
    if (run_.dead_letters == 0) run_.first_dead_letter = letter.reason;
    run_.AddBadRow(absl::Status(letter.code, letter.reason), letter.table, letter.record_id);
  }
  for (SchemaChange& change : schema_changes_) {
    run_.outcome.schema_changes.push_back(std::move(change));
  }
  if (has_rows_) run_.newest_us = newest_event_us_ == kUnknownEventTime ? now_us : newest_event_us_;
  run_.outcome.bytes += bytes_;
  run_.outcome.upserts += calls_.upserts;
  run_.outcome.updates += calls_.updates;
  run_.outcome.deletes += calls_.deletes;
  run_.outcome.truncates += calls_.truncates;
  run_.outcome.checkpoints += calls_.checkpoints;
  if (!applied_.empty()) run_.last_group = std::move(applied_);
}

void OpenGroup::Rollback() {
  if (transaction_ != nullptr) transaction_->Rollback();
  transaction_.reset();
  Clear();
}

void OpenGroup::Clear() {
  tables_.clear();
  states_.clear();
  letters_.clear();
  schema_changes_.clear();
  applied_.clear();
  applied_rows_ = 0;
  calls_ = CallCounts();
  bytes_ = 0;
  has_rows_ = false;
  newest_event_us_ = kUnknownEventTime;
}

}  // namespace tidemark
