#include "source/push_call.h"

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/slice.h>
#include <grpcpp/support/status.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/mutex.h"
#include "source/push_message.h"
#include "tidemark/v1/ingest.pb.h"
#include "wire/call_status.h"
#include "wire/row_codec.h"

namespace tidemark {
namespace {

grpc::ByteBuffer BytesOf(const v1::PushResponse& response) {
  const grpc::Slice slice(response.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

// Reactions never run inside a Start.. call of their own thread, so that these are made with the
// lock held: nothing is begun once Finish was called.
class PushCall::Work final : public PushCall::Reactor {
 public:
  Work(grpc::CallbackServerContext* context, Keeper* keeper)
      : context_(context), keeper_(keeper), pool_(std::make_shared<MessagePool>()) {}

  void SetSelf(std::shared_ptr<PushCall> self) { self_ = std::move(self); }
  const grpc::CallbackServerContext& context() const { return *context_; }
  const std::shared_ptr<MessagePool>& pool() const { return pool_; }

  void BeginRead() {
    MutexLock lock(mutex_);
    if (!reading_ && !finished_) StartReading();
  }

  void Proceed() {
    MutexLock lock(mutex_);
    proceeds_ = true;
    if (!reading_ && MayRead()) StartReading();
  }

  void Finish(const grpc::Status& status) {
    MutexLock lock(mutex_);
    if (end_.has_value()) return;
    end_ = status;
    Pump();
  }

  void FinishWell(uint64_t durable_sequence, uint64_t state_version) {
    v1::PushResponse response;
    response.mutable_ended()->set_durable_sequence(durable_sequence);
    response.mutable_ended()->set_state_version(static_cast<int64_t>(state_version));
    MutexLock lock(mutex_);
    if (end_.has_value()) return;
    ended_ = BytesOf(response);
    end_ = grpc::Status::OK;
    Pump();
  }

  void Abort() {
    MutexLock lock(mutex_);
    if (!done_) context_->TryCancel();
  }

  Outcome Read(absl::Time deadline, std::unique_ptr<PushMessage>* message) {
    Waiting next;
    {
      MutexLock lock(mutex_);
      const Outcome outcome = Await(deadline);
      if (outcome != Outcome::kMessage) return outcome;
      next = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= next.bytes;
      waiting_memory_ -= next.memory;
      if (!reading_ && MayRead()) StartReading();
      Keep(next);
    }
    if (next.message == nullptr) {  // again
      next.message = ParsePushMessage(&next.raw, pool_.get());
      next.message->ordinal = next.ordinal;
    }
    *message = std::move(next.message);
    return Outcome::kMessage;
  }

  bool Rewind() {
    MutexLock lock(mutex_);
    if (lost_sequence_ > acknowledged_sequence_) return false;
    for (; !kept_.empty(); kept_.pop_back()) {
      waiting_bytes_ += kept_.back().bytes;
      waiting_memory_ += kept_.back().memory;
      waiting_.push_front(std::move(kept_.back()));
    }
    kept_bytes_ = 0;
    return true;
  }

  void Start(const PushStarted& started) {
    v1::PushResponse response;
    v1::Started* out = response.mutable_started();
    out->set_durable_sequence(started.durable_sequence);
    out->set_state(started.state);
    out->set_state_version(static_cast<int64_t>(started.state_version));
    out->set_sync_id(started.sync_id);
    out->set_epoch(started.epoch);
    MutexLock lock(mutex_);
    acknowledged_sequence_ = started.durable_sequence;
    acknowledged_version_ = started.state_version;
    answers_.push_front(BytesOf(response));  // before warnings of what came before it
    started_ = true;
    Pump();
  }

  void Acknowledge(uint64_t sequence, uint64_t state_version) {
    MutexLock lock(mutex_);
    acknowledged_sequence_ = sequence;
    acknowledged_version_ = state_version;
    acknowledgement_waits_ = true;
    while (!kept_.empty() && kept_.front().sequence <= sequence) {
      kept_bytes_ -= kept_.front().bytes;
      kept_.pop_front();
    }
    Pump();
  }

  void SendRowError(const PushRowError& error) {
    v1::PushResponse response;
    v1::RowError* out = response.mutable_row_error();
    out->set_sequence(error.sequence);
    out->set_index(error.index);
    out->set_table(MessageText(error.table));
    out->set_code(static_cast<int>(error.code));
    out->set_reason(StatusText(error.reason));
    Answer(response);
  }

  void SendWarning(absl::string_view table, absl::string_view text) {
    v1::PushResponse response;
    response.mutable_warning()->set_table(MessageText(table));
    response.mutable_warning()->set_text(StatusText(text));
    Answer(response);
  }

  void Cancel() {
    MutexLock lock(mutex_);
    cancelled_ = true;
    changed_.SignalAll();
  }

 private:
  // A message, its bytes for another time, or both.
  struct Waiting {
    grpc::ByteBuffer raw;
    std::unique_ptr<PushMessage> message;
    uint64_t sequence = 0;  // 0: none
    uint64_t ordinal = 0;
    size_t bytes = 0;
    size_t memory = 0;
  };

  // ---- reactions -------------------------------------------------------------------------------

  void OnReadDone(bool ok) override {
    std::unique_ptr<PushMessage> message;
    if (ok) message = ParsePushMessage(&buffer_, pool_.get());
    bool first = false;
    {
      MutexLock lock(mutex_);
      reading_ = false;
      if (!ok) {
        read_ended_ = true;
        // Whether it was half-closed or cut is seen by whether an answer still gets through.
        probe_waits_ = !cut_;
        Pump();
      } else {
        message->ordinal = ++ordinals_;
        first = ordinals_ == 1;
        if (!first) {
          Waiting& next = waiting_.emplace_back();
          next.sequence = message->sequence;
          next.ordinal = message->ordinal;
          next.bytes = message->bytes;
          next.memory = message->memory;
          next.message = std::move(message);
          next.raw.Swap(&buffer_);
          waiting_bytes_ += next.bytes;
          waiting_memory_ += next.memory;
          if (MayRead()) StartReading();
        }
      }
      changed_.SignalAll();
    }
    if (first) keeper_->OnFirst(self_, std::move(message));
  }

  void OnWriteDone(bool ok) override {
    bool gone = false;
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (!ok) {
        gone = !std::exchange(cut_, true);
      } else if (probing_) {
        half_closed_ = true;
      }
      probing_ = false;
      Pump();
      changed_.SignalAll();
    }
    if (gone) keeper_->OnCut(self_);
  }

  void OnCancel() override {
    bool gone = false;
    {
      MutexLock lock(mutex_);
      gone = !std::exchange(cut_, true);
      Pump();
      changed_.SignalAll();
    }
    if (gone) keeper_->OnCut(self_);
  }

  void OnDone() override {
    std::shared_ptr<PushCall> self;
    {
      MutexLock lock(mutex_);
      done_ = cut_ = true;
      self = std::move(self_);
      changed_.SignalAll();
    }
    keeper_->OnDone(self);
  }

  // ---- reading ---------------------------------------------------------------------------------

  bool MayRead() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return proceeds_ && !finished_ && !read_ended_ && waiting_.size() < kAheadMessages &&
           waiting_bytes_ + kMessageBytes <= kAheadBytes && waiting_memory_ < kAheadMemory;
  }

  void StartReading() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    reading_ = true;
    buffer_.Clear();
    StartRead(&buffer_);
  }

  Outcome Await(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (true) {
      if (cancelled_) return Outcome::kCancelled;
      if (!waiting_.empty()) return Outcome::kMessage;
      if (cut_) return Outcome::kCut;
      if (half_closed_) return Outcome::kHalfClosed;
      const absl::Duration left = deadline - absl::Now();
      if (left <= absl::ZeroDuration()) return Outcome::kNothingYet;
      changed_.WaitFor(mutex_, left);
    }
  }

  void Keep(const Waiting& read) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Waiting& kept = kept_.emplace_back();
    kept.raw = read.raw;  // the same bytes
    kept.sequence = read.sequence;
    kept.ordinal = read.ordinal;
    kept.bytes = kept.memory = read.bytes;
    kept_bytes_ += read.bytes;
    if (kept_bytes_ <= kKeptBytes) return;
    for (const Waiting& lost : kept_) lost_sequence_ = std::max(lost_sequence_, lost.sequence);
    kept_.clear();
    kept_bytes_ = 0;
  }

  // ---- writing ---------------------------------------------------------------------------------

  void Answer(const v1::PushResponse& response) {
    MutexLock lock(mutex_);
    if (cut_ || end_.has_value()) return;
    if (answers_.size() >= kWaitingAnswers) {
      ++unlisted_;
      return;
    }
    answers_.push_back(BytesOf(response));
    Pump();
  }

  // Begins the next write, or ends the call when all is written.
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_ || finished_) return;
    if (!cut_ && TakeAnswer()) {
      writing_ = true;
      probing_ = read_ended_;
      StartWrite(&written_);
      return;
    }
    if (!end_.has_value()) return;
    finished_ = true;
    Reactor::Finish(*end_);
  }

  // The next answer into written_. Nothing comes before Started.
  bool TakeAnswer() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!started_) return false;
    if (!answers_.empty()) {
      written_ = answers_.front();
      answers_.pop_front();
      return true;
    }
    v1::PushResponse response;
    if (unlisted_ > 0) {
      response.mutable_warning()->set_text(
          absl::StrCat(std::exchange(unlisted_, 0),
                       " more answers are not listed: the client did not read them; bad rows are "
                       "among the destination's dead letters"));
      written_ = BytesOf(response);
      return true;
    }
    const bool probe = probe_waits_ && !end_.has_value();
    if (acknowledgement_waits_ || probe) {
      response.mutable_acknowledged()->set_sequence(acknowledged_sequence_);
      response.mutable_acknowledged()->set_state_version(
          static_cast<int64_t>(acknowledged_version_));
      acknowledgement_waits_ = probe_waits_ = false;
      written_ = BytesOf(response);
      return true;
    }
    if (!ended_.has_value()) return false;
    written_ = *std::exchange(ended_, std::nullopt);
    return true;
  }

  grpc::CallbackServerContext* const context_;
  Keeper* const keeper_;
  const std::shared_ptr<MessagePool> pool_;
  std::shared_ptr<PushCall> self_;  // until OnDone
  grpc::ByteBuffer buffer_;         // the read outstanding
  grpc::ByteBuffer written_;        // the write outstanding

  Mutex mutex_;
  CondVar changed_;
  std::deque<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);  // not read by the apply thread yet
  size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t waiting_memory_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Waiting> kept_ ABSL_GUARDED_BY(mutex_);  // read and not acknowledged
  size_t kept_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t lost_sequence_ ABSL_GUARDED_BY(mutex_) = 0;  // of the last that could not be kept
  uint64_t ordinals_ ABSL_GUARDED_BY(mutex_) = 0;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool proceeds_ ABSL_GUARDED_BY(mutex_) = false;
  bool read_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool half_closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool cut_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;

  std::deque<grpc::ByteBuffer> answers_ ABSL_GUARDED_BY(mutex_);
  uint64_t unlisted_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t acknowledged_sequence_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t acknowledged_version_ ABSL_GUARDED_BY(mutex_) = 0;
  bool acknowledgement_waits_ ABSL_GUARDED_BY(mutex_) = false;
  bool probe_waits_ ABSL_GUARDED_BY(mutex_) = false;  // an answer must be tried after the last read
  bool probing_ ABSL_GUARDED_BY(mutex_) = false;      // the write outstanding began after it
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<grpc::ByteBuffer> ended_ ABSL_GUARDED_BY(mutex_);
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;  // Finish was called: nothing may be begun
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
};

std::shared_ptr<PushCall> PushCall::Open(grpc::CallbackServerContext* context, Keeper* keeper) {
  std::shared_ptr<PushCall> call(new PushCall(std::make_unique<Work>(context, keeper)));
  call->work_->SetSelf(call);
  return call;
}

PushCall::PushCall(std::unique_ptr<Work> work) : work_(std::move(work)) {}
PushCall::~PushCall() = default;

PushCall::Reactor* PushCall::reactor() { return work_.get(); }
const grpc::CallbackServerContext& PushCall::context() const { return work_->context(); }
void PushCall::Begin() { work_->BeginRead(); }
void PushCall::Proceed() { work_->Proceed(); }
void PushCall::Finish(const grpc::Status& status) { work_->Finish(status); }
void PushCall::FinishWell(uint64_t durable_sequence, uint64_t state_version) {
  work_->FinishWell(durable_sequence, state_version);
}
void PushCall::Abort() { work_->Abort(); }
PushStream::Outcome PushCall::Read(absl::Time deadline, std::unique_ptr<PushMessage>* message) {
  return work_->Read(deadline, message);
}
bool PushCall::Rewind() { return work_->Rewind(); }
const std::shared_ptr<MessagePool>& PushCall::pool() const { return work_->pool(); }
void PushCall::Start(const PushStarted& started) { work_->Start(started); }
void PushCall::Acknowledge(uint64_t sequence, uint64_t state_version) {
  work_->Acknowledge(sequence, state_version);
}
void PushCall::SendRowError(const PushRowError& error) { work_->SendRowError(error); }
void PushCall::SendWarning(absl::string_view table, absl::string_view text) {
  work_->SendWarning(table, text);
}
void PushCall::Cancel() { work_->Cancel(); }

}  // namespace tidemark
