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

std::shared_ptr<WatchCall> WatchCall::Begin(Parts parts, const v1::WatchSyncRequest& request) {
  auto call = std::shared_ptr<WatchCall>(new WatchCall(std::move(parts), request));
  call->self_ = call;
  call->Advance();
  return call;
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
      written_.Clear();
      ToMessage(page_.front(), &written_);
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
  if (next == Next::kFinish) Finish(AnswerStatus(outcome, parts_.control->redactor));
}

void WatchCall::StartTask() {
  if (parts_.pool->Run([self = shared_from_this()] { self->RunTask(); })) return;
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
  absl::Status status = call_.has_value() ? CheckCaller() : Open();
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

absl::Status WatchCall::Open() {
  absl::StatusOr<ControlCall> call = parts_.admit();
  if (!call.ok()) return call.status();
  call_ = *std::move(call);
  checked_at_ = parts_.control->clock->Monotonic();
  after_ = request_.after_sequence();
  absl::StatusOr<SyncEntry> sync = parts_.syncs->Find(*call_, request_.sync_id());
  if (!sync.ok()) return sync.status();
  std::shared_ptr<SyncBook::Watch> watch =
      parts_.control->syncs->Subscribe(request_.sync_id(), [weak = weak_from_this()] {
        if (std::shared_ptr<WatchCall> self = weak.lock()) self->Wake();
      });
  MutexLock lock(mutex_);
  watch_ = std::move(watch);
  return absl::OkStatus();
}

absl::Status WatchCall::CheckCaller() {
  const absl::Duration now = parts_.control->clock->Monotonic();
  {
    MutexLock lock(mutex_);
    if (!recheck_ && now - checked_at_ < kCheckEvery) return absl::OkStatus();
    recheck_ = false;
  }
  checked_at_ = now;
  return parts_.control->gate->StillAdmitted(call_->admitted);
}

absl::Status WatchCall::ReadPage(std::vector<SyncFeedEvent>* events, bool* ended) {
  absl::StatusOr<SyncBook::FeedPage> page =
      parts_.control->syncs->Read(request_.sync_id(), after_, kPage);
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
  if (parts_.on_done) parts_.on_done(this);
  const std::shared_ptr<WatchCall> last = std::move(self_);
}

}  // namespace tidemark
