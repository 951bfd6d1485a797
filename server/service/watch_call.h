// One WatchSync call: the events of a sync as they come, without a thread of its own.
#ifndef TIDEMARK_SERVICE_WATCH_CALL_H_
#define TIDEMARK_SERVICE_WATCH_CALL_H_

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
#include "service/control_syncs.h"
#include "service/request_call.h"
#include "tidemark/v1/control.pb.h"

namespace tidemark {

// Lives until gRPC says OnDone(). Thread-safe.
//
// The events are read on a thread of `pool`, a page at a time, and written one after the other by
// gRPC's callbacks; a client that does not read holds one page. Whoever is admitted by a token is
// asked for it again every now and then.
class WatchCall final : public RequestCall, public std::enable_shared_from_this<WatchCall> {
 public:
  using OnDoneFunction = std::function<void(WatchCall*)>;

  // `syncs` is borrowed.
  static std::shared_ptr<WatchCall> Open(const Parts& parts, ControlSyncs* syncs,
                                         OnDoneFunction on_done);

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
  WatchCall(const Parts& parts, ControlSyncs* syncs, OnDoneFunction on_done)
      : RequestCall(parts), syncs_(*syncs), on_done_(std::move(on_done)) {}

  void Run(ControlCall call, std::unique_ptr<google::protobuf::Message> request) override;
  void Refuse(const absl::Status& status) override;

  // The next thing to do, if any: a write, a reading, or the end. Called without the lock.
  void Advance();
  void StartTask();
  // The task on a thread of the pool; one at a time.
  void RunTask();
  absl::Status Subscribe();
  absl::Status ReadPage(std::vector<SyncFeedEvent>* events, bool* ended);
  absl::Status CheckCaller();
  absl::Status NotKept(const absl::Status& status) const;

  ControlSyncs& syncs_;
  const OnDoneFunction on_done_;
  std::shared_ptr<WatchCall> self_;  // until OnDone()

  // Of the task.
  ControlCall call_;
  v1::WatchSyncRequest request_;
  bool subscribed_ = false;
  uint64_t after_ = 0;
  absl::Duration checked_at_;

  Mutex mutex_;
  std::shared_ptr<SyncBook::Watch> watch_ ABSL_GUARDED_BY(mutex_);
  std::deque<SyncFeedEvent> page_ ABSL_GUARDED_BY(mutex_);
  grpc::ByteBuffer written_;  // gRPC's while writing_
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool task_ ABSL_GUARDED_BY(mutex_) = true;   // one waits or runs; first of all, RequestCall's
  bool again_ ABSL_GUARDED_BY(mutex_) = true;  // something may have come since the last reading
  bool recheck_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_WATCH_CALL_H_
