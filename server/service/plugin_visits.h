// Calls beside syncs that run a connector: check, plan, preview, verify, questions about states.
#ifndef TIDEMARK_SERVICE_PLUGIN_VISITS_H_
#define TIDEMARK_SERVICE_PLUGIN_VISITS_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "control/cancellation.h"
#include "control/engine.h"
#include "core/mutex.h"
#include "service/plugin_budget.h"

namespace tidemark {

class PluginVisits;

// One such call: its process counts among limits.plugins and limits.memory until it is destroyed.
class PluginVisit {
 public:
  ~PluginVisit();
  PluginVisit(const PluginVisit&) = delete;
  PluginVisit& operator=(const PluginVisit&) = delete;

  // What the connector does belongs under it.
  Cancellation* cancellation() { return &cancellation_; }
  // Of the connection that is visited; null where there is none. Confined to the call.
  Engine* engine() { return engine_.get(); }
  void SetEngine(std::unique_ptr<Engine> engine) { engine_ = std::move(engine); }
  // UNAVAILABLE instead of a failure that the end of the server brought.
  absl::Status Explain(absl::Status status) const;

 private:
  friend class PluginVisits;
  explicit PluginVisit(PluginVisits* visits) : visits_(visits) {}
  void End();

  PluginVisits* const visits_;
  Interrupt interrupt_;
  Cancellation cancellation_;
  std::unique_ptr<PluginBudget::Share> share_;
  std::unique_ptr<Engine> engine_;
};

// Thread-safe; outlives its visits.
class PluginVisits {
 public:
  // `longest`: how long a call waits for its share. `budget` is borrowed.
  PluginVisits(PluginBudget* budget, absl::Duration longest) : budget_(budget), longest_(longest) {}
  PluginVisits(const PluginVisits&) = delete;
  PluginVisits& operator=(const PluginVisits&) = delete;

  // Waits for a process with so much memory. RESOURCE_EXHAUSTED: there was none in time;
  // UNAVAILABLE: the server stops.
  absl::StatusOr<std::unique_ptr<PluginVisit>> Begin(uint64_t bytes);
  // Ends what runs and refuses what comes. Does not wait.
  void Stop();

 private:
  friend class PluginVisit;
  void Remove(PluginVisit* visit);

  PluginBudget* const budget_;
  const absl::Duration longest_;
  Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<PluginVisit*> visits_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_PLUGIN_VISITS_H_
