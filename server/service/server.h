// A whole server: owns its parts, starts and stops them in order.
//
// Order of the start: catalog, access stores, connections, history (what a killed server left open
// is closed), runner, scheduler, services, listeners; then scheduling begins. Order of the end:
// the scheduler starts nothing more, calls are refused and watches end, syncs commit what they have
// (ServerSettings::stop_timeout, then they are cut), listeners close. Whatever a sync could not
// finish is begun again by the next start.
#ifndef TIDEMARK_SERVICE_SERVER_H_
#define TIDEMARK_SERVICE_SERVER_H_

#include <cstdint>
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
#include "service/scheduler.h"
#include "service/settings.h"
#include "service/sync_book.h"
#include "service/sync_runner.h"

namespace tidemark {

// Thread-safe after Start().
class Server {
 public:
  // Opens everything that is on disk and checks it; nothing runs and nothing listens yet.
  static absl::StatusOr<std::unique_ptr<Server>> Open(ServerSettings settings);
  ~Server();  // Stop()s
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const ServerSettings& settings() const;
  Catalog& catalog();
  ConnectionBook& connections();
  SyncBook& syncs();
  SyncRunner& runner();
  Scheduler& scheduler();
  Redactor& redactor();
  Log& log();

  // Before Start(): who else is told of syncs. Outlives the server's Stop().
  void AddListener(SyncListener* listener);
  // How many callers could not prove who they are until now.
  uint64_t failed_callers() const;

  // Listens and schedules. An error (an address that cannot be had) leaves nothing running.
  absl::Status Start();
  // Where it listens, as clients dial it.
  std::vector<std::string> addresses() const;
  // Looks at the folder of connections now (SIGHUP).
  void Reload();
  // Whether it takes calls and starts syncs: what /readyz answers.
  absl::Status Ready();
  // In order; a second call does nothing.
  void Stop();
  // While Stop() waits: open commit groups are cut now.
  void StopNow();

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_SERVER_H_
