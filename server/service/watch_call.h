// One WatchSync call: the events of a sync as they come, without a thread of its own.
#ifndef TIDEMARK_SERVICE_WATCH_CALL_H_
#define TIDEMARK_SERVICE_WATCH_CALL_H_

#include <grpcpp/support/server_callback.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/mutex.h"
#include "service/call_pool.h"
#include "service/control_call.h"
#include "service/control_parts.h"
#include "service/control_syncs.h"
#include "tidemark/v1/control.pb.h"

namespace tidemark {

// Lives until gRPC says OnDone(). Thread-safe.
//
// The events are read on a thread of `pool`, a page at a time, and written one after the other by
// gRPC's callbacks; a client that does not read holds one page. Whoever is admitted by a token is
// asked for it again every now and then.
class WatchCall final : public grpc::ServerWriteReactor<v1::SyncEvent>,
                        public std::enable_shared_from_this<WatchCall> {
 public:
  struct Parts {
    const ControlParts* control = nullptr;  // borrowed
    ControlSyncs* syncs = nullptr;
    CallPool* pool = nullptr;
    // Admits the call; on a thread of the pool.
    std::function<absl::StatusOr<ControlCall>()> admit;
    std::function<void(WatchCall*)> on_done;
  };

  static std::shared_ptr<WatchCall> Begin(Parts parts, const v1::WatchSyncRequest& request);

  // Ends the call, from any thread, as soon as nothing of it runs; events not written yet are left.
  void End(const absl::Status& status);
  // There may be events.
  void Wake();
  // A token was revoked: whether it was this caller's.
  void Recheck();

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  WatchCall(Parts parts, const v1::WatchSyncRequest& request)
      : parts_(std::move(parts)), request_(request) {}

  // The next thing to do, if any: a write, a reading, or the end. Called without the lock.
  void Advance();
  void StartTask();
  // The task on a thread of the pool; one at a time.
  void RunTask();
  absl::Status Open();
  absl::Status ReadPage(std::vector<SyncFeedEvent>* events, bool* ended);
  absl::Status CheckCaller();
  absl::Status NotKept(const absl::Status& status) const;

  const Parts parts_;
  const v1::WatchSyncRequest request_;
  std::shared_ptr<WatchCall> self_;  // until OnDone()

  // Of the task.
  std::optional<ControlCall> call_;
  uint64_t after_ = 0;
  absl::Duration checked_at_;

  Mutex mutex_;
  std::shared_ptr<SyncBook::Watch> watch_ ABSL_GUARDED_BY(mutex_);
  std::deque<SyncFeedEvent> page_ ABSL_GUARDED_BY(mutex_);
  v1::SyncEvent written_;  // gRPC's while writing_
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool task_ ABSL_GUARDED_BY(mutex_) = false;  // one waits or runs
  bool again_ ABSL_GUARDED_BY(mutex_) = true;  // something may have come since the last reading
  bool recheck_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_WATCH_CALL_H_
