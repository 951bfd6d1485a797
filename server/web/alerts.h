// Watches the connections of a server by rules, and says when something is wrong and when it is
// over: once per incident, again after AlertRule::repeat, across restarts.
#ifndef TIDEMARK_WEB_ALERTS_H_
#define TIDEMARK_WEB_ALERTS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/log.h"
#include "control/redaction.h"
#include "core/clock.h"
#include "service/catalog.h"
#include "service/connection_book.h"
#include "service/sync_book.h"
#include "service/sync_runner.h"
#include "web/alert_rules.h"
#include "web/metrics.h"

namespace tidemark {

// Thread-safe. An incident and its notices are one transaction of the catalog, and a notice leaves
// it when its channel has taken it: at least once, also through kill -9. Listeners' calls only note
// what happened; notices leave on threads of their own, one for each channel.
class Alerts : public SyncListener {
 public:
  struct Parts {
    Catalog* catalog = nullptr;  // all borrowed
    ConnectionBook* connections = nullptr;
    SyncBook* syncs = nullptr;
    Metrics* metrics = nullptr;
    Redactor* redactor = nullptr;
    Log* log = nullptr;
    Clock* clock = nullptr;
    // How many callers of this server were refused for their token until now; null: not counted,
    // and rules about it are an error.
    std::function<uint64_t()> authentication_failures;
  };

  // Reads the open incidents and the history that the rules look at.
  static absl::StatusOr<std::unique_ptr<Alerts>> Open(AlertRules rules, Parts parts);
  ~Alerts() override;  // Stop()s
  Alerts(const Alerts&) = delete;
  Alerts& operator=(const Alerts&) = delete;

  void OnSyncEnded(const SyncEntry& sync, const SyncOutcome* outcome) override;

  // Judges every rule as of now and stores what there is to say. Start()'s thread does it after
  // each sync and every five seconds.
  absl::Status Tick();
  // AlertDelivery::DeliverDue(), where Start() was not called.
  absl::Time DeliverDue(const std::string& channel);
  // Starts the threads; once.
  void Start();
  // Ends them: a notice on its way is finished, others stay in the catalog for the next start.
  void Stop();

  // One line each, for people: what is wrong now.
  std::vector<std::string> Incidents() const;

 private:
  struct Work;
  explicit Alerts(std::unique_ptr<Work> work);

  const std::unique_ptr<Work> work_;
};

}  // namespace tidemark

#endif  // TIDEMARK_WEB_ALERTS_H_
