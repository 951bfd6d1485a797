// What the syncs of one connection added up to since the server started.
#ifndef TIDEMARK_WEB_CONNECTION_TALLY_H_
#define TIDEMARK_WEB_CONNECTION_TALLY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "core/change_counts.h"
#include "core/latency_counts.h"
#include "pipeline/sync.h"
#include "service/sync_book.h"

namespace tidemark {

// Sums of committed work.
struct SyncTotals {
  ChangeCounts counts;
  uint64_t bytes = 0;
  uint64_t commits = 0;
  uint64_t checkpoints = 0;
  uint64_t retries = 0;
  LatencyCounts commit_latency;

  // Adds what `now` has more than `before`, both of the same sync.
  void AddDifference(const SyncTotals& now, const SyncTotals& before);
  void Add(const SyncTotals& other) { AddDifference(other, {}); }
};

SyncTotals TotalsOf(const SyncProgress& progress);
SyncTotals TotalsOf(const SyncOutcome& outcome);

// Thread-compatible.
class ConnectionTally {
 public:
  static constexpr size_t kStatuses = 3;  // completed, partial, failed

  // `endless`: the sync keeps running, so that its progress says how far it has come.
  void Begin(const SyncEntry& sync, bool endless);
  void Progress(const SyncEntry& sync, const SyncProgress& progress, absl::Time now);
  void End(const SyncEntry& sync, const SyncOutcome* outcome);
  // An ended sync of the history: it fills what is not known yet, and moves no counter.
  void Recall(const SyncEntry& sync);
  // Nothing more is to be asked of the history.
  void SetRecalled() { recalled_ = true; }
  // Puts the sums of `other` to these: what connections without series of their own have together.
  void Merge(const ConnectionTally& other);

  const SyncTotals& totals() const { return totals_; }
  const std::array<uint64_t, kStatuses>& syncs() const { return syncs_; }
  uint64_t late_rows() const { return late_rows_; }
  uint64_t state_versions() const { return state_versions_; }
  uint64_t restarts() const { return restarts_; }
  std::optional<uint64_t> state_bytes() const { return state_bytes_; }
  size_t running() const { return live_.size(); }
  std::optional<absl::Duration> last_duration() const { return last_duration_; }
  std::optional<bool> last_failed() const { return last_failed_; }
  std::optional<absl::Time> up_to_date() const { return up_to_date_; }
  bool recalled() const { return recalled_; }

 private:
  struct LiveSync {
    SyncTotals counted;  // what totals_ has of it already
    bool endless = false;
  };

  void Reach(absl::Time time);

  std::map<std::string, LiveSync> live_;  // by sync_id
  SyncTotals totals_;
  std::array<uint64_t, kStatuses> syncs_{};
  uint64_t late_rows_ = 0;
  uint64_t state_versions_ = 0;
  uint64_t restarts_ = 0;
  std::optional<uint64_t> state_bytes_;
  std::optional<absl::Duration> last_duration_;
  std::optional<bool> last_failed_;
  std::optional<absl::Time> up_to_date_;
  bool recalled_ = false;
};

}  // namespace tidemark

#endif  // TIDEMARK_WEB_CONNECTION_TALLY_H_
