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
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "service/catalog.h"
#include "service/sync_entry.h"
#include "service/sync_feed.h"
#include "service/sync_history.h"

namespace tidemark {

// Thread-safe. sync_ids are texts that sort by time of queueing, newest last, also where the clock
// was set back.
class SyncBook {
 public:
  // Syncs that were queued or running when the server was killed are closed as failed ("the server
  // ended"); Interrupted() lists them.
  static absl::StatusOr<std::unique_ptr<SyncBook>> Open(Catalog* catalog, Clock* clock);
  ~SyncBook();
  SyncBook(const SyncBook&) = delete;
  SyncBook& operator=(const SyncBook&) = delete;

  const std::vector<SyncEntry>& Interrupted() const { return interrupted_; }

  // A new sync, queued, with its id. Durable when it returns.
  absl::StatusOr<SyncEntry> Add(SyncEntry record);
  // From here on it runs. Not durable: what ends without End() was interrupted anyway.
  absl::StatusOr<SyncEntry> Start(const std::string& sync_id);
  // Stores the outcome and the report's JSON (may be empty), and then shows the end: who sees it
  // finds the report. Sets ended_at_us where it is 0. Called once for a sync, which has ended even
  // when an error is returned.
  absl::Status End(const SyncEntry& record, absl::string_view report_json);

  // Live events; cheap, never blocks on the disk. Unknown and ended syncs: ignored. Sequence and
  // time are set here.
  void Publish(const std::string& sync_id, SyncFeedEvent event);
  // Events with a larger sequence than `after`, at most `limit`; none: nothing new yet. OUT_OF_
  // RANGE naming the oldest kept. NOT_FOUND: no such sync, or it ended more than an hour ago.
  using FeedPage = SyncFeedPage;
  absl::StatusOr<FeedPage> Read(const std::string& sync_id, uint64_t after, size_t limit) const;
  // `on_event` is called (no locks held, any thread) after each new event of the sync and at its
  // end, until the returned watch is destroyed; destroying it waits for a call that runs, except
  // from within that call. Calls coalesce. Unknown and ended syncs: never called.
  class Watch {
   public:
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    friend class SyncBook;
    struct Listener;
    explicit Watch(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}
    const std::shared_ptr<Listener> listener_;
  };
  std::shared_ptr<Watch> Subscribe(const std::string& sync_id, std::function<void()> on_event);

  // NOT_FOUND.
  absl::StatusOr<SyncEntry> Get(absl::string_view sync_id) const;
  absl::StatusOr<std::vector<SyncEntry>> List(const SyncQuery& query) const;
  // NOT_FOUND: no such sync, or it has no report.
  absl::StatusOr<std::string> Report(absl::string_view sync_id) const;
  // The newest ended sync of a connection, if any.
  std::optional<SyncEntry> Last(absl::string_view connection) const;
  // Queued and running ones, oldest first.
  std::vector<SyncEntry> Live() const;
  // History older than `age` or beyond `keep` per connection goes; live ones stay. Also events of
  // syncs that ended long ago. Call it every minute or so.
  absl::Status Prune(absl::Duration age, int64_t keep);

 private:
  // A live sync, or one that ended within the last minute: watchers read its end from here.
  struct OpenSync {
    SyncEntry entry;
    SyncFeed feed;
    std::vector<std::weak_ptr<Watch::Listener>> listeners;
  };

  SyncBook(Catalog* catalog, Clock* clock);

  int64_t NowUs() const { return absl::ToUnixMicros(clock_->Now()); }
  std::vector<std::shared_ptr<Watch::Listener>> Append(OpenSync& live, SyncFeedEvent event)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropEnded() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The feed of an ended sync, from the catalog or from the last time.
  absl::StatusOr<std::shared_ptr<const SyncFeed>> StoredFeed(const std::string& sync_id) const;

  Clock* const clock_;
  mutable SyncHistory history_;
  std::vector<SyncEntry> interrupted_;
  mutable Mutex mutex_;
  int64_t newest_id_us_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, OpenSync, std::less<>> live_ ABSL_GUARDED_BY(mutex_);
  // Those of live_ that have ended, with Clock::Monotonic() of that, oldest first.
  std::deque<std::pair<absl::Duration, std::string>> ended_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, SyncEntry, std::less<>> last_ ABSL_GUARDED_BY(mutex_);  // by connection
  // Feeds read from the catalog lately.
  mutable std::deque<std::pair<std::string, std::shared_ptr<const SyncFeed>>> opened_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_SYNC_BOOK_H_
