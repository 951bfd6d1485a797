#include "web/alert_history.h"

#include <algorithm>

namespace tidemark {

void AlertHistory::Add(const SyncEntry& sync) {
  MutexLock lock(mutex_);
  AddLocked(sync);
}

void AlertHistory::Recall(const std::vector<SyncEntry>& past) {
  MutexLock lock(mutex_);
  for (const SyncEntry& sync : past) AddLocked(sync);
}

void AlertHistory::AddLocked(const SyncEntry& sync) {
  if (!HasEnded(sync.phase) || sync.interrupted || sync.held_elsewhere ||
      sync.trigger == SyncTrigger::kReplay || sync.trigger == SyncTrigger::kRepair) {
    return;
  }
  const bool failed = sync.phase == SyncPhase::kFailed;
  const int64_t at_us = sync.ended_at_us;
  Past& past = pasts_[sync.connection];
  // The stored history comes newest first, ended syncs newest last.
  auto place = std::lower_bound(past.syncs.begin(), past.syncs.end(), at_us,
                                [](const Ended& other, int64_t us) { return other.at_us < us; });
  for (; place != past.syncs.end() && place->at_us == at_us; ++place) {
    if (place->sync_id == sync.sync_id) return;
  }
  past.syncs.insert(place,
                    {sync.sync_id, at_us, failed, sync.counts.conflict, sync.counts.dead_letter});
  if (at_us >= past.last_us) {
    past.last_us = at_us;
    past.last_failure = failed ? std::optional(sync.error) : std::nullopt;
  }
  if (!failed) past.last_success_us = std::max(past.last_success_us.value_or(at_us), at_us);
  const int64_t oldest_us = past.last_us - absl::ToInt64Microseconds(memory_);
  while (past.syncs.size() > kSyncs ||
         (!past.syncs.empty() && past.syncs.front().at_us < oldest_us)) {
    past.syncs.pop_front();
  }
}

void AlertHistory::Forget(const std::string& connection) {
  MutexLock lock(mutex_);
  pasts_.erase(connection);
}

AlertSums AlertHistory::Sums(const std::string& connection, absl::Time from) const {
  const int64_t from_us = absl::ToUnixMicros(from);
  AlertSums sums;
  MutexLock lock(mutex_);
  const auto past = pasts_.find(connection);
  if (past == pasts_.end()) return sums;
  const std::deque<Ended>& syncs = past->second.syncs;
  for (auto sync = syncs.rbegin(); sync != syncs.rend() && sync->at_us >= from_us; ++sync) {
    ++sums.ended;
    sums.failed += sync->failed ? 1 : 0;
    sums.conflicts += sync->conflicts;
    sums.dead_letters += sync->dead_letters;
  }
  return sums;
}

std::optional<std::string> AlertHistory::LastFailure(const std::string& connection) const {
  MutexLock lock(mutex_);
  const auto past = pasts_.find(connection);
  return past == pasts_.end() ? std::nullopt : past->second.last_failure;
}

std::optional<absl::Time> AlertHistory::LastSuccess(const std::string& connection) const {
  MutexLock lock(mutex_);
  const auto past = pasts_.find(connection);
  if (past == pasts_.end() || !past->second.last_success_us) return std::nullopt;
  return absl::FromUnixMicros(*past->second.last_success_us);
}

}  // namespace tidemark
