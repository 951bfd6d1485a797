// Runs the syncs of a server: one per connection at a time, at most so many at once, in order of
// priority, each on a thread of its own.
#ifndef TIDEMARK_SERVICE_SYNC_RUNNER_H_
#define TIDEMARK_SERVICE_SYNC_RUNNER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "control/engine.h"
#include "control/log.h"
#include "control/plugin_search.h"
#include "control/redaction.h"
#include "core/clock.h"
#include "service/connection_book.h"
#include "service/plugin_visits.h"
#include "service/sync_book.h"

namespace tidemark {

struct SyncRequest {
  std::string connection;
  SyncTrigger trigger = SyncTrigger::kCall;
  bool full = false;
  std::vector<std::string> tables;
  std::optional<int64_t> since_us;
  bool continuous = false;  // goes on as changes arrive, until it is stopped
  std::string started_by;
};

struct RunnerLimits {
  // Running at once. Syncs that go on for ever (realtime) and those of RunOwn() are not among them:
  // no others would ever run.
  int max_syncs = 8;
  int max_ingest_streams = 64;
  int max_plugins = 64;                       // syncs with a plugin's process, of any kind
  uint64_t memory_bytes = uint64_t{4} << 30;  // sum of what they may take (plugin_memory)
  absl::Duration stop = absl::Seconds(30);    // commit groups finish within this, then they are cut
  // How long a call that runs a connector waits where syncs have all of the last two.
  absl::Duration visit_wait = absl::Seconds(10);
};

// What somebody else is told of every sync that ends (metrics, alerts, the scheduler). The
// connection is free again before that: the start of its next sync may be told of first.
class SyncListener {
 public:
  virtual ~SyncListener() = default;
  virtual void OnSyncStarted(const SyncEntry&) {}
  virtual void OnSyncProgress(const SyncEntry&, const SyncProgress&) {}
  // `outcome` is null when the sync could not begin.
  virtual void OnSyncEnded(const SyncEntry&, const SyncOutcome* outcome) = 0;
};

// Thread-safe. Threads are created here, named "sync", and joined by Stop().
class SyncRunner {
 public:
  struct Parts {
    ConnectionBook* connections = nullptr;  // all borrowed
    SyncBook* syncs = nullptr;
    Redactor* redactor = nullptr;
    Log* log = nullptr;
    Clock* clock = nullptr;
    PluginSearch search;
  };

  // What a sync waits for: max_syncs first, then its share of memory_bytes, both in order.
  SyncRunner(Parts parts, RunnerLimits limits);
  ~SyncRunner();  // Stop() was called
  SyncRunner(const SyncRunner&) = delete;
  SyncRunner& operator=(const SyncRunner&) = delete;

  // Queues a sync. NOT_FOUND; FAILED_PRECONDITION: one of the connection runs or waits already
  // (BusySync() of the error is its id), or its definition is not valid; UNAVAILABLE: the server
  // stops. Paused connections run when asked by a call.
  absl::StatusOr<SyncEntry> Start(const SyncRequest& request);
  // Once: after the open commit group; with `now`: at once. The record as it is then; what has
  // ended is answered as it is. NOT_FOUND.
  absl::StatusOr<SyncEntry> StopSync(absl::string_view sync_id, bool now);

  // The same for every sync of the connection, of its producers too.
  void StopConnection(absl::string_view connection);

  // Runs `work` as the sync of `connection` on the calling thread, for streams of Ingest, replays
  // and repairs: entered in the book, counted, stoppable, exclusive with other syncs of the same
  // name. `name` is the connection's, or "<connection>/<producer>". `work` returns the outcome;
  // what it runs of a connector is under a Visit() of the caller.
  struct OwnSync {
    SyncEntry record;
    Engine* engine = nullptr;
    Interrupt* interrupt = nullptr;
    std::function<void(const SyncProgress&)> progress;
  };
  absl::StatusOr<SyncEntry> RunOwn(
      const SyncRequest& request, const std::string& producer,
      const std::function<absl::StatusOr<SyncOutcome>(const OwnSync&)>& work);

  // For a call beside syncs (check, plan, preview, verify, state), with a fresh engine of its own.
  // Those without a connection begin at visits(). Stop() ends them.
  absl::StatusOr<std::unique_ptr<PluginVisit>> Visit(absl::string_view connection);
  PluginVisits& visits();
  // Whether a sync of the connection runs or waits: its id.
  std::optional<std::string> BusyWith(absl::string_view connection) const;

  // Listeners are set before the first sync and outlive the runner.
  void AddListener(SyncListener* listener);

  // No new sync begins; visits are cancelled; running syncs end after their commit group, or are
  // cut when RunnerLimits::stop has passed. Returns when all threads have ended.
  void Stop();
  // Whatever runs is cut now; for while Stop() waits.
  void CutNow();

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

// The id of the sync that is in the way, of an error of Start().
std::optional<std::string> BusySync(const absl::Status& status);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_SYNC_RUNNER_H_
