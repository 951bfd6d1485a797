// The numbers of a server in the text format of Prometheus. server/web/README.md lists them.
#ifndef TIDEMARK_WEB_METRICS_H_
#define TIDEMARK_WEB_METRICS_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "service/connection_book.h"
#include "service/sync_book.h"
#include "service/sync_runner.h"
#include "web/connection_tally.h"

namespace tidemark {

// Thread-safe. Counters begin at 0 when the server starts, as Prometheus expects of them; what they
// count is committed. Series of a connection that is gone end with it.
class Metrics : public SyncListener {
 public:
  // Connections with series of their own, as the book lists them. Those beyond share the label
  // "(others)", which no connection can be called.
  static constexpr size_t kConnections = 2'000;

  struct Parts {
    ConnectionBook* connections = nullptr;  // all borrowed
    SyncBook* syncs = nullptr;
    Clock* clock = nullptr;
  };
  explicit Metrics(Parts parts);

  void OnSyncStarted(const SyncEntry& sync) override;
  void OnSyncProgress(const SyncEntry& sync, const SyncProgress& progress) override;
  void OnSyncEnded(const SyncEntry& sync, const SyncOutcome* outcome) override;

  // What /metrics answers.
  std::string Exposition();

  // The moment for which the destination holds all that the source had then: the start of the last
  // whole sync that did not fail; while one runs without end, now when its connector has nothing to
  // send, otherwise the time of what it committed last. nullopt: not known yet.
  std::optional<absl::Time> UpToDate(const std::string& connection);

 private:
  std::vector<ConnectionEntry> Connections() const;
  // Asks the history, once for each connection, how far it had come before this server started.
  void Recall(const std::string& connection);
  void Forget(const std::vector<ConnectionEntry>& known);

  const Parts parts_;
  Mutex mutex_;
  std::map<std::string, ConnectionTally, std::less<>> tallies_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_WEB_METRICS_H_
