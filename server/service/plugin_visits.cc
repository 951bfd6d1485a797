#include "service/plugin_visits.h"

#include "absl/strings/str_cat.h"
#include "service/call_error.h"

namespace tidemark {
namespace {

absl::Status Stopping() {
  return WithReason(absl::UnavailableError("the server stops; try again when it is back"),
                    "SERVER_STOPS");
}

}  // namespace

PluginVisit::~PluginVisit() {
  engine_ = nullptr;
  visits_->Remove(this);
}

absl::Status PluginVisit::Explain(absl::Status status) const {
  if (status.ok() || !cancellation_.cancelled()) return status;
  return Stopping();
}

void PluginVisit::End() {
  interrupt_.Request();
  cancellation_.Cancel();
}

absl::StatusOr<std::unique_ptr<PluginVisit>> PluginVisits::Begin(uint64_t bytes) {
  std::unique_ptr<PluginVisit> visit(new PluginVisit(this));
  {
    MutexLock lock(mutex_);
    if (stopping_) return Stopping();
    visits_.insert(visit.get());
  }
  visit->share_ = budget_->Take(bytes, visit->interrupt_, longest_);
  if (visit->share_ != nullptr) return visit;
  if (visit->cancellation_.cancelled()) return Stopping();
  return WithReason(absl::ResourceExhaustedError(absl::StrCat(
                        "syncs have all the processes of plugins or their memory (limits.plugins, "
                        "limits.memory), and none became free in ",
                        absl::FormatDuration(longest_), "; try again later")),
                    "PLUGINS_BUSY");
}

void PluginVisits::Stop() {
  MutexLock lock(mutex_);
  stopping_ = true;
  for (PluginVisit* visit : visits_) visit->End();
}

void PluginVisits::Remove(PluginVisit* visit) {
  MutexLock lock(mutex_);
  visits_.erase(visit);
}

}  // namespace tidemark
