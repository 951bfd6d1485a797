#include "service/watch_call.h"

#include "absl/strings/str_cat.h"
#include "service/call_error.h"
#include "service/control_messages.h"

namespace tidemark {
namespace {

constexpr size_t kPage = 64;  // events read at a time
constexpr absl::Duration kCheckEvery = absl::Seconds(5);

absl::Status Busy() {
  return WithReason(absl::UnavailableError("the server stops, or has too much to do; try again"),
                    "SERVER_BUSY");
}

}  // namespace

std::shared_ptr<WatchCall> WatchCall::Open(const Parts& parts, ControlSyncs* syncs,
                                           OnDoneFunction on_done) {
  auto call = std::shared_ptr<WatchCall>(new WatchCall(parts, syncs, std::move(on_done)));
  call->self_ = call;
  return call;
}

void WatchCall::Run(ControlCall call, std::unique_ptr<google::protobuf::Message> request) {
  call_ = std::move(call);
  request_ = std::move(static_cast<v1::WatchSyncRequest&>(*request));
  RunTask();
}

void WatchCall::Refuse(const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    task_ = false;
    if (!end_.has_value()) end_ = status;
  }
  Advance();
}

void WatchCall::End(const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    if (!end_.has_value()) end_ = status;
    page_.clear();
  }
  Advance();
}

void WatchCall::Wake() {
  {
    MutexLock lock(mutex_);
    again_ = true;
  }
  Advance();
}

void WatchCall::Recheck() {
  {
    MutexLock lock(mutex_);
    recheck_ = true;
    again_ = true;
  }
  Advance();
}

void WatchCall::Advance() {
  enum class Next { kNothing, kWrite, kTask, kFinish } next = Next::kNothing;
  absl::Status outcome;
  {
    MutexLock lock(mutex_);
    if (finished_ || writing_) return;
    if (!page_.empty()) {
      v1::SyncEvent event;
      ToMessage(page_.front(), &event);
      written_ = BytesOf(event);
      page_.pop_front();
      writing_ = true;
      next = Next::kWrite;
    } else if (!task_ && end_.has_value()) {
      finished_ = true;
      outcome = *end_;
      next = Next::kFinish;
    } else if (!task_ && again_) {
      again_ = false;
      task_ = true;
      next = Next::kTask;
    }
  }
  // gRPC may call back before these return.
  if (next == Next::kWrite) StartWrite(&written_);
  if (next == Next::kTask) StartTask();
  if (next == Next::kFinish) Finish(AnswerStatus(outcome, parts().control->redactor));
}

void WatchCall::StartTask() {
  if (parts().pool->Run([self = shared_from_this()] { self->RunTask(); })) return;
  {
    MutexLock lock(mutex_);
    task_ = false;
    if (!end_.has_value()) end_ = Busy();
  }
  Advance();
}

void WatchCall::RunTask() {
  std::vector<SyncFeedEvent> events;
  bool ended = false;
  absl::Status status = subscribed_ ? CheckCaller() : Subscribe();
  if (status.ok()) status = ReadPage(&events, &ended);
  {
    MutexLock lock(mutex_);
    task_ = false;
    if (!events.empty()) again_ = true;
    if (!end_.has_value()) {
      for (SyncFeedEvent& event : events) page_.push_back(std::move(event));
      if (!status.ok() || ended) end_ = status;
    }
  }
  Advance();
}

absl::Status WatchCall::Subscribe() {
  subscribed_ = true;
  checked_at_ = parts().control->clock->Monotonic();
  after_ = request_.after_sequence();
  absl::StatusOr<SyncEntry> sync = syncs_.Find(call_, request_.sync_id());
  if (!sync.ok()) return sync.status();
  std::shared_ptr<SyncBook::Watch> watch =
      parts().control->syncs->Subscribe(request_.sync_id(), [weak = weak_from_this()] {
        if (std::shared_ptr<WatchCall> self = weak.lock()) self->Wake();
      });
  MutexLock lock(mutex_);
  watch_ = std::move(watch);
  return absl::OkStatus();
}

absl::Status WatchCall::CheckCaller() {
  const absl::Duration now = parts().control->clock->Monotonic();
  {
    MutexLock lock(mutex_);
    if (!recheck_ && now - checked_at_ < kCheckEvery) return absl::OkStatus();
    recheck_ = false;
  }
  checked_at_ = now;
  return parts().control->gate->StillAdmitted(call_.admitted);
}

absl::Status WatchCall::ReadPage(std::vector<SyncFeedEvent>* events, bool* ended) {
  absl::StatusOr<SyncBook::FeedPage> page =
      parts().control->syncs->Read(request_.sync_id(), after_, kPage);
  if (!page.ok()) return NotKept(page.status());
  *events = std::move(page->events);
  if (events->empty()) {
    *ended = page->ended;
  } else {
    after_ = events->back().sequence;
    *ended = events->back().kind == SyncFeedEvent::Kind::kEnded;
  }
  return absl::OkStatus();
}

absl::Status WatchCall::NotKept(const absl::Status& status) const {
  if (absl::IsNotFound(status)) {  // the sync is in the history, its events are not
    return WithReason(
        absl::OutOfRangeError(absl::StrCat("the events of sync ", request_.sync_id(),
                                           " are no longer kept; GetSync and GetReport say what "
                                           "came of it")),
        "EVENTS_NOT_KEPT");
  }
  if (!absl::IsOutOfRange(status)) return status;
  ErrorFacts facts;
  if (const std::optional<uint64_t> oldest = OldestKept(status)) {
    facts.emplace_back("oldest", absl::StrCat(*oldest));
  }
  return WithReason(status, "POSITION_NOT_KEPT", facts);
}

void WatchCall::OnWriteDone(bool ok) {
  {
    MutexLock lock(mutex_);
    writing_ = false;
    if (!ok) {
      page_.clear();
      if (!end_.has_value()) end_ = absl::CancelledError("the caller has gone");
    }
  }
  Advance();
}

void WatchCall::OnCancel() { End(absl::CancelledError("the caller has gone")); }

void WatchCall::OnDone() {
  std::shared_ptr<SyncBook::Watch> watch;
  {
    MutexLock lock(mutex_);
    watch.swap(watch_);
  }
  watch.reset();
  if (on_done_) on_done_(this);
  const std::shared_ptr<WatchCall> last = std::move(self_);
}

}  // namespace tidemark
