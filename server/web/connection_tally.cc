#include "web/connection_tally.h"

#include <algorithm>

namespace tidemark {
namespace {

void AddCounts(ChangeCounts* sum, const ChangeCounts& now, const ChangeCounts& before) {
  const auto add = [&](uint64_t ChangeCounts::* count) {
    sum->*count += std::max(now.*count, before.*count) - before.*count;
  };
  for (const auto count :
       {&ChangeCounts::inserted, &ChangeCounts::updated, &ChangeCounts::deleted,
        &ChangeCounts::unchanged, &ChangeCounts::superseded, &ChangeCounts::missing,
        &ChangeCounts::conflict, &ChangeCounts::late_queue, &ChangeCounts::dead_letter,
        &ChangeCounts::deleted_by_truncate, &ChangeCounts::duplicates_collapsed,
        &ChangeCounts::missing_updates}) {
    add(count);
  }
}

// What a whole sync read was there at its start; a stream says itself what there is.
absl::Time ReachedBy(const SyncEntry& sync) {
  switch (sync.trigger) {
    case SyncTrigger::kSchedule:
    case SyncTrigger::kCall:
    case SyncTrigger::kRetry:
      return sync.narrowed ? absl::InfinitePast() : absl::FromUnixMicros(sync.started_at_us);
    case SyncTrigger::kIngest:
      return absl::FromUnixMicros(sync.ended_at_us);
    case SyncTrigger::kReplay:
    case SyncTrigger::kRepair:
      return absl::InfinitePast();
  }
  return absl::InfinitePast();
}

// Counters never go back, whatever order two calls of one sync came in.
uint64_t Growth(uint64_t now, uint64_t before) { return now > before ? now - before : 0; }

}  // namespace

void SyncTotals::AddDifference(const SyncTotals& now, const SyncTotals& before) {
  AddCounts(&counts, now.counts, before.counts);
  bytes += Growth(now.bytes, before.bytes);
  commits += Growth(now.commits, before.commits);
  checkpoints += Growth(now.checkpoints, before.checkpoints);
  retries += Growth(now.retries, before.retries);
  for (size_t i = 0; i < commit_latency.counts.size(); ++i) {
    commit_latency.counts[i] +=
        Growth(now.commit_latency.counts[i], before.commit_latency.counts[i]);
  }
  commit_latency.sum_seconds +=
      std::max(0.0, now.commit_latency.sum_seconds - before.commit_latency.sum_seconds);
}

SyncTotals TotalsOf(const SyncProgress& progress) {
  SyncTotals totals;
  totals.counts = progress.counts;
  totals.bytes = progress.bytes;
  totals.commits = progress.commits;
  totals.checkpoints = progress.checkpoints;
  totals.retries = progress.retries;
  totals.commit_latency = progress.commit_latency;
  return totals;
}

SyncTotals TotalsOf(const SyncOutcome& outcome) {
  SyncTotals totals;
  totals.counts = outcome.counts;
  totals.bytes = outcome.bytes;
  totals.commits = outcome.commits;
  totals.checkpoints = outcome.checkpoints;
  totals.retries = outcome.retries;
  totals.commit_latency = outcome.commit_latency;
  return totals;
}

void ConnectionTally::Begin(const SyncEntry& sync, bool endless) {
  live_[sync.sync_id].endless = endless;
}

void ConnectionTally::Progress(const SyncEntry& sync, const SyncProgress& progress,
                               absl::Time now) {
  const SyncTotals totals = TotalsOf(progress);
  LiveSync& live = live_[sync.sync_id];
  totals_.AddDifference(totals, live.counted);
  live.counted.AddDifference(totals, live.counted);
  if (!live.endless) return;
  if (progress.phase == "waiting") {
    Reach(now);
  } else if (progress.lag.has_value()) {
    Reach(now - *progress.lag);
  }
}

void ConnectionTally::End(const SyncEntry& sync, const SyncOutcome* outcome) {
  const auto live = live_.find(sync.sync_id);
  const SyncTotals before = live == live_.end() ? SyncTotals() : live->second.counted;
  if (live != live_.end()) live_.erase(live);
  if (outcome != nullptr) {
    totals_.AddDifference(TotalsOf(*outcome), before);
    restarts_ += outcome->restarts;
    for (const TableOutcome& table : outcome->tables) late_rows_ += table.late;
    uint64_t bytes = 0;
    for (const SyncOutcome::EntryVersions& entry : outcome->state) {
      state_versions_ += static_cast<uint64_t>(std::max<int64_t>(0, entry.after - entry.before));
      bytes += entry.body.size();
    }
    if (!outcome->state.empty()) state_bytes_ = bytes;
  }
  if (sync.held_elsewhere) return;
  switch (sync.phase) {
    case SyncPhase::kCompleted:
      ++syncs_[0];
      break;
    case SyncPhase::kPartial:
      ++syncs_[1];
      break;
    default:
      ++syncs_[2];
  }
  last_failed_.reset();
  last_duration_.reset();
  Recall(sync);
}

void ConnectionTally::Recall(const SyncEntry& sync) {
  const bool failed = sync.phase == SyncPhase::kFailed;
  if (!last_failed_.has_value()) last_failed_ = failed;
  if (sync.started_at_us == 0) return;
  if (!last_duration_.has_value() && sync.ended_at_us >= sync.started_at_us) {
    last_duration_ = absl::Microseconds(sync.ended_at_us - sync.started_at_us);
  }
  if (!failed && !sync.interrupted) Reach(ReachedBy(sync));
}

void ConnectionTally::Merge(const ConnectionTally& other) {
  totals_.Add(other.totals_);
  for (size_t i = 0; i < kStatuses; ++i) syncs_[i] += other.syncs_[i];
  late_rows_ += other.late_rows_;
  state_versions_ += other.state_versions_;
  restarts_ += other.restarts_;
  for (const auto& [sync_id, live] : other.live_) live_[sync_id] = live;
}

void ConnectionTally::Reach(absl::Time time) {
  if (time == absl::InfinitePast()) return;
  up_to_date_ = std::max(up_to_date_.value_or(absl::InfinitePast()), time);
}

}  // namespace tidemark
