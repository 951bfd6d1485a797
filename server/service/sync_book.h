// The syncs of a server: those queued and running with their live events, and the history of those
// that ended, in the catalog.
#ifndef TIDEMARK_SERVICE_SYNC_BOOK_H_
#define TIDEMARK_SERVICE_SYNC_BOOK_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/change_counts.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "service/catalog.h"

namespace tidemark {

// The numbers equal SyncPhase's of control.proto (SyncStatus) and are stored.
enum class SyncPhase : int { kQueued = 1, kRunning = 2, kCompleted = 3, kPartial = 4, kFailed = 5 };
inline bool HasEnded(SyncPhase phase) { return phase >= SyncPhase::kCompleted; }
// The numbers equal SyncTrigger's of control.proto and are stored.
enum class SyncTrigger : int {
  kSchedule = 1, kCall = 2, kRetry = 3, kIngest = 4, kReplay = 5, kRepair = 6
};

struct SyncRecord {
  std::string sync_id;
  std::string connection;
  std::string producer;  // of an Ingest stream
  SyncPhase phase = SyncPhase::kQueued;
  SyncTrigger trigger = SyncTrigger::kSchedule;
  int64_t queued_at_us = 0;
  int64_t started_at_us = 0;  // 0: not yet
  int64_t ended_at_us = 0;    // 0: not yet
  bool full = false;
  ChangeCounts counts;
  uint64_t bytes = 0;
  uint64_t commits = 0;
  uint64_t retries = 0;
  std::string error;  // redacted
  absl::StatusCode error_code = absl::StatusCode::kOk;
  bool interrupted = false;
  std::string started_by;
};

// One event of a sync, as Watch gives it.
struct SyncFeedEvent {
  enum class Kind { kStarted, kProgress, kLog, kEnded };
  uint64_t sequence = 0;  // 1, 2, 3, ... within the sync
  int64_t at_us = 0;
  Kind kind = Kind::kProgress;
  // kProgress
  std::string table;
  uint64_t rows = 0;
  double rows_per_second = 0;
  double elapsed_seconds = 0;
  std::string phase;
  std::optional<double> lag_seconds;
  // kLog: level 0 debug .. 3 error, `table`, `text`
  int level = 1;
  std::string text;
  // kStarted, kEnded
  std::optional<SyncRecord> record;
};

struct SyncQuery {
  std::string connection;                   // empty: any
  std::function<bool(absl::string_view)> may_see;  // of a connection; null: all
  std::vector<SyncPhase> phases;            // empty: any
  int64_t from_us = 0;                      // queued at or after
  int64_t until_us = INT64_MAX;             // queued before
  std::string after;  // sync_id of the last one seen; empty: from the newest
  size_t limit = 100;
};

inline constexpr size_t kFeedEvents = 10'000;  // kept per sync

// Thread-safe. sync_ids are texts that sort by time of queueing, newest last.
class SyncBook {
 public:
  // Syncs that were queued or running when the server was killed are closed as failed ("the server
  // ended"); how many is returned by `Interrupted()`.
  static absl::StatusOr<std::unique_ptr<SyncBook>> Open(Catalog* catalog, Clock* clock);

  // A new sync, queued, with its id. Durable when it returns.
  absl::StatusOr<SyncRecord> Add(SyncRecord record);
  absl::Status Start(const std::string& sync_id);
  // Stores the outcome and the report's JSON (may be empty), and ends the feed.
  absl::Status End(const SyncRecord& record, absl::string_view report_json);

  // Live events; cheap, never blocks on the disk. Unknown and ended syncs: ignored.
  void Publish(const std::string& sync_id, SyncFeedEvent event);
  // Events with a larger sequence than `after`, at most `limit`; none yet: empty, after at most
  // `wait` (returns early when one comes or `*cancelled` is called through WakeWatchers). Ended
  // without further events: `ended` is true. OUT_OF_RANGE naming the oldest kept. NOT_FOUND.
  struct FeedPage {
    std::vector<SyncFeedEvent> events;
    bool ended = false;
    uint64_t oldest = 0;
  };
  absl::StatusOr<FeedPage> Read(const std::string& sync_id, uint64_t after, size_t limit) const;
  // `on_event` is called (no locks held, any thread) after each new event of the sync and at its
  // end, until the returned watch is destroyed. Calls coalesce.
  class Watch;
  std::shared_ptr<Watch> Subscribe(const std::string& sync_id, std::function<void()> on_event);

  absl::StatusOr<SyncRecord> Get(absl::string_view sync_id) const;
  absl::StatusOr<std::vector<SyncRecord>> List(const SyncQuery& query) const;
  // NOT_FOUND: no such sync, or it has no report.
  absl::StatusOr<std::string> Report(absl::string_view sync_id) const;
  // The newest ended sync of a connection, if any.
  std::optional<SyncRecord> Last(absl::string_view connection) const;
  // Queued and running ones.
  std::vector<SyncRecord> Live() const;
  // History older than `age` or beyond `keep` per connection goes; live ones stay.
  absl::Status Prune(absl::Duration age, int64_t keep);

 private:
  struct Feed;

  SyncBook(Catalog* catalog, Clock* clock);

  Catalog* const catalog_;
  Clock* const clock_;
  mutable Mutex mutex_;
  std::map<std::string, std::shared_ptr<Feed>, std::less<>> feeds_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, SyncRecord, std::less<>> live_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, SyncRecord, std::less<>> last_ ABSL_GUARDED_BY(mutex_);  // by connection
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_SYNC_BOOK_H_
