// What all gRPC services of one ControlService share.
#ifndef TIDEMARK_SERVICE_CONTROL_WORK_H_
#define TIDEMARK_SERVICE_CONTROL_WORK_H_

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "core/mutex.h"
#include "service/call_pool.h"
#include "service/control_access.h"
#include "service/control_call.h"
#include "service/control_connections.h"
#include "service/control_letters.h"
#include "service/control_parts.h"
#include "service/control_service.h"
#include "service/control_sources.h"
#include "service/control_state.h"
#include "service/control_syncs.h"
#include "service/control_verify.h"
#include "service/idempotency_keys.h"
#include "service/watch_call.h"

namespace tidemark {

// Thread-safe.
struct ControlService::Work {
  static constexpr size_t kWaiting = 1'024;  // calls, of each pool

  explicit Work(ControlParts all)
      : parts(std::move(all)),
        connections(parts),
        sources(parts),
        syncs(parts),
        state(parts),
        letters(parts),
        verify(parts),
        access(parts, [this] { RecheckWatches(); }) {}

  const ControlParts parts;
  ControlConnections connections;
  ControlSources sources;
  ControlSyncs syncs;
  ControlState state;
  ControlLetters letters;
  ControlVerify verify;
  ControlAccess access;
  std::unique_ptr<IdempotencyKeys> keys;
  std::atomic<bool> stopping{false};
  Mutex mutex;
  std::set<WatchCall*> watches ABSL_GUARDED_BY(mutex);
  CallPool short_pool{8, kWaiting};
  CallPool slow_pool{16, kWaiting};

  CallPool& PoolOf(const MethodRule* rule) {
    return rule != nullptr && rule->slow ? slow_pool : short_pool;
  }
  std::vector<std::shared_ptr<WatchCall>> Watches();
  void RecheckWatches();
  // The work under the request's idempotency key, if it has one.
  absl::Status RunOnce(ControlCall& call, const google::protobuf::Message& request,
                       google::protobuf::Message* response,
                       const std::function<absl::Status(ControlCall&)>& work);
};

absl::Status ServerStops();   // UNAVAILABLE
absl::Status ServerIsBusy();  // RESOURCE_EXHAUSTED

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_WORK_H_
