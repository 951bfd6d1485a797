// Starts the syncs of a server when their time has come (service/timetable.h says when that is).
#ifndef TIDEMARK_SERVICE_SCHEDULER_H_
#define TIDEMARK_SERVICE_SCHEDULER_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "control/log.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "core/random_bits.h"
#include "service/catalog.h"
#include "service/connection_book.h"
#include "service/connection_standing.h"
#include "service/failure_rows.h"
#include "service/sync_book.h"
#include "service/sync_runner.h"
#include "service/timetable.h"

namespace tidemark {

// Thread-safe. One thread, "schedule", which never waits for more than half a second, so that a
// clock that was set or a machine that was asleep is seen.
class Scheduler : public SyncListener {
 public:
  struct Parts {
    ConnectionBook* connections = nullptr;  // all borrowed
    SyncBook* syncs = nullptr;
    SyncRunner* runner = nullptr;
    Log* log = nullptr;
    Clock* clock = nullptr;
    Catalog* catalog = nullptr;    // for failures in a row; null: they are forgotten at the end
    RandomBits* random = nullptr;  // of pauses; null: the system's
  };

  explicit Scheduler(Parts parts);
  ~Scheduler() override;  // Stop() was called
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Takes the connections over from the book; syncs that the end of the server interrupted are
  // begun again. Once, before Run().
  void Load();
  // Starts the thread.
  void Run();
  // No further starts. Returns when the thread has ended.
  void Stop();
  // What the thread does each time: starts what is due. Tests call it instead of Run().
  void Step();

  // To be called by the book's listener. A connection that is gone or paused: its sync ends at its
  // next commit; so does a realtime one whose definition changed, to begin again with the new one.
  void OnConnectionsChanged(const std::vector<std::string>& names);
  // Closes the circuit breaker of a connection.
  void Resume(absl::string_view connection);
  ConnectionStanding StandingOf(absl::string_view connection);

  void OnSyncStarted(const SyncEntry& sync) override;
  void OnSyncEnded(const SyncEntry& sync, const SyncOutcome* outcome) override;

 private:
  Timetable::Moment Now() const { return {parts_.clock->Now(), parts_.clock->Monotonic()}; }
  void Loop();
  void Begin(const Timetable::Start& start);
  void LoadConnections();
  void Restore();
  // Stores how `connection` stands, where that is not what is stored already.
  void Keep(const std::string& connection);
  void TakeOver(const ConnectionEntry& entry);

  const Parts parts_;
  Mutex mutex_;
  CondVar changed_;
  Timetable timetable_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, uint64_t> versions_ ABSL_GUARDED_BY(mutex_);  // of the definitions
  // Interrupted full syncs: to be full again.
  std::set<std::string, std::less<>> full_again_ ABSL_GUARDED_BY(mutex_);
  // What is stored of each connection that failed. Held while the catalog is written.
  Mutex kept_mutex_;
  std::map<std::string, FailureRow, std::less<>> kept_ ABSL_GUARDED_BY(kept_mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_SCHEDULER_H_
