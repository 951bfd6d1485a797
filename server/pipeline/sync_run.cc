#include "pipeline/sync_run.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/canary.h"
#include "core/status_context.h"
#include "pipeline/row_text.h"

namespace tidemark {
namespace {

constexpr size_t kRecordIds = 1000;
constexpr uint64_t kListedBadRows = 1000;
constexpr absl::Duration kProgressEvery = absl::Milliseconds(200);

}  // namespace

SyncRun::SyncRun(const SyncOptions& sync_options, const SyncParts& sync_parts)
    : options(sync_options),
      parts(sync_parts),
      random(sync_parts.random != nullptr && !Canary("ids_without_the_seed") ? *sync_parts.random
                                                                             : RandomBits::Real()),
      began_(sync_parts.clock->Monotonic()),
      own_rate_(sync_options.rate) {}

RateLimit* SyncRun::rate() {
  if (parts.rate != nullptr) return parts.rate;
  return options.rate.any() ? &own_rate_ : nullptr;
}

TableRun& SyncRun::Table(const std::string& name) {
  TableRun& table = tables[name];
  table.outcome.table = name;
  return table;
}

void SyncRun::Log(int level, absl::string_view table, absl::string_view text) {
  if (parts.observer != nullptr) parts.observer->OnLog(level, table, text);
}

void SyncRun::Warn(absl::string_view table, absl::string_view text) {
  const std::string line = table.empty() ? std::string(text) : absl::StrCat(table, ": ", text);
  if (std::find(outcome.warnings.begin(), outcome.warnings.end(), line) != outcome.warnings.end()) {
    return;
  }
  outcome.warnings.push_back(line);
  Log(2, table, text);
}

void SyncRun::AddError(const absl::Status& status, absl::string_view table,
                       absl::string_view record_id) {
  SyncError& error = outcome.errors.emplace_back();
  error.code = status.code();
  error.message = std::string(status.message());
  error.table = std::string(table);
  error.record_id = std::string(record_id);
  error.retryable = IsTransient(status);
  error.at_us = NowUs();
}

void SyncRun::AddSyncError(const absl::Status& status) {
  for (const SyncError& error : outcome.errors) {
    if (!error.table.empty() && error.message == status.message()) return;
  }
  AddError(status, "", "");
}

void SyncRun::AddBadRow(const absl::Status& status, absl::string_view table,
                        absl::string_view record_id) {
  if (dead_letters++ < kListedBadRows) AddError(status, table, record_id);
}

void SyncRun::CountBadRows() {
  if (dead_letters <= kListedBadRows) return;
  AddError(absl::InvalidArgumentError(absl::StrCat(dead_letters - kListedBadRows,
                                                   " more bad rows are not listed here; they are "
                                                   "among the dead letters")),
           "", "");
}

void SyncRun::ShowProgress(const std::string& table, uint64_t rows, const std::string& phase) {
  if (parts.observer == nullptr) return;
  const absl::Duration now = parts.clock->Monotonic();
  if (now - shown_ < kProgressEvery) return;
  shown_ = now;
  SyncProgress progress;
  progress.table = table;
  progress.rows = rows;
  progress.elapsed = now - began_;
  progress.phase = phase;
  if (newest_us != kNoTime) {
    progress.lag = std::max(absl::ZeroDuration(), absl::Microseconds(NowUs() - newest_us));
  }
  for (const auto& [name, run] : tables) {
    progress.counts += run.outcome.counts;
    progress.last_commit_us = std::max(progress.last_commit_us, run.outcome.last_commit_us);
  }
  progress.bytes = outcome.bytes;
  progress.commits = outcome.commits;
  progress.checkpoints = outcome.checkpoints;
  progress.retries = outcome.retries;
  progress.commit_latency = outcome.commit_latency;
  parts.observer->OnProgress(progress);
}

absl::Status SyncRun::Tolerate(absl::Status status) {
  if (status.ok() || !options.go_on_behind_store || absl::IsFailedPrecondition(status) ||
      absl::IsDataLoss(status)) {
    return status;
  }
  Warn("", absl::StrCat("the state is not stored in ", parts.outer->Describe(),
                        ", the rows are kept and the source is not told (on_checkpoint_failure: "
                        "warn): ",
                        status.message()));
  return absl::OkStatus();
}

absl::Status SyncRun::KeepOutside(const std::vector<VersionAppend>& versions) {
  if (parts.outer == nullptr) return absl::OkStatus();
  if (parts.outer->behind() && !parts.outer->MayTryAgain()) return absl::OkStatus();
  return Tolerate(parts.outer->Append(versions));
}

absl::Status SyncRun::CatchUpOutside() {
  return parts.outer == nullptr ? absl::OkStatus() : Tolerate(parts.outer->CatchUp());
}

bool SyncRun::OthersMayGoOn() const {
  if ((capabilities & kCanTableState) == 0 || book.HasConnectionWide()) return false;
  for (const auto& [name, table] : tables) {
    if (!name.empty() && !table.ended) return true;
  }
  return false;
}

absl::Status SyncRun::CheckShared(const StateEntry& state) const {
  // An entry that only ever kept counts is no state of the connector.
  const bool shared = EntryName(state).empty() && (!state.body.empty() || !state.cursor.empty());
  if (left_out.empty() || !shared) return absl::OkStatus();
  std::string others = *left_out.begin();
  if (left_out.size() > 1) absl::StrAppend(&others, " and ", left_out.size() - 1, " more");
  return absl::FailedPreconditionError(absl::StrCat(
      "--table cannot be used with ", options.source_name,
      ": it keeps one state for all of its tables, and moving that would skip the changes of ",
      others,
      ", which this run leaves out; nothing was written. Run it without --table, or with a ",
      "connector that keeps a state for each table"));
}

std::vector<StateEntry> SyncRun::StatesForSource() const {
  std::vector<StateEntry> states = book.ForSource();
  if (options.full) {
    std::erase_if(states,
                  [this](const StateEntry& state) { return !book.Moved(EntryName(state)); });
  }
  return states;
}

bool SyncRun::BeginsAgain(const std::string& table) const {
  const StateEntry* entry = book.Find(table);
  if (entry == nullptr) entry = book.Find("");
  return entry != nullptr && entry->kind == static_cast<uint32_t>(StateKind::kReset) &&
         entry->body.empty() && entry->cursor.empty() &&
         options.from_us == std::numeric_limits<int64_t>::min() &&
         options.until_us == std::numeric_limits<int64_t>::max();
}

std::vector<std::string> RecordIdsOf(const std::deque<AppliedRows>& rows) {
  std::vector<std::string> ids;  // newest first
  for (auto applied = rows.rbegin(); applied != rows.rend(); ++applied) {
    std::vector<NamedColumn> columns;
    columns.reserve(applied->names.size());
    for (size_t i = 0; i < applied->names.size(); ++i) {
      columns.push_back({applied->names[i], applied->keys[i], applied->sensitive[i]});
    }
    for (size_t row = applied->batch.row_count; row > 0 && ids.size() < kRecordIds; --row) {
      ids.push_back(RecordId(columns, applied->batch.row(row - 1)));
    }
  }
  std::reverse(ids.begin(), ids.end());
  return ids;
}

}  // namespace tidemark
