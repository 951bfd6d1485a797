// What alert rules look back at: the ended syncs of each connection.
#ifndef TIDEMARK_WEB_ALERT_HISTORY_H_
#define TIDEMARK_WEB_ALERT_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "core/mutex.h"
#include "service/sync_book.h"

namespace tidemark {

// Sums over the syncs of one connection that ended in a span of time.
struct AlertSums {
  uint64_t ended = 0;
  uint64_t failed = 0;
  uint64_t conflicts = 0;
  uint64_t dead_letters = 0;
};

// Thread-safe. Bounded: kSyncs per connection, the oldest go first.
class AlertHistory {
 public:
  static constexpr size_t kSyncs = 10'000;

  // Syncs that ended longer ago than `memory` are forgotten, except the last one of each kind.
  explicit AlertHistory(absl::Duration memory) : memory_(memory) {}

  // Syncs that say nothing about their connection are left out: interrupted ones, those another
  // server was at, replays and repairs.
  void Add(const SyncEntry& sync);
  // The same of a connection's stored history, in any order. Those that Add() has had since the
  // server started are not counted twice.
  void Recall(const std::vector<SyncEntry>& past);
  void Forget(const std::string& connection);

  AlertSums Sums(const std::string& connection, absl::Time from) const;
  // The newest ended sync, if it failed: its error (may be empty).
  std::optional<std::string> LastFailure(const std::string& connection) const;
  std::optional<absl::Time> LastSuccess(const std::string& connection) const;

 private:
  struct Ended {
    std::string sync_id;
    int64_t at_us = 0;
    bool failed = false;
    uint64_t conflicts = 0;
    uint64_t dead_letters = 0;
  };
  struct Past {
    std::deque<Ended> syncs;  // by time
    int64_t last_us = 0;
    std::optional<std::string> last_failure;
    std::optional<int64_t> last_success_us;
  };

  void AddLocked(const SyncEntry& sync) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const absl::Duration memory_;
  mutable Mutex mutex_;
  std::map<std::string, Past, std::less<>> pasts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_WEB_ALERT_HISTORY_H_
