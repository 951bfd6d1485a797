#include "source/update_stream.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/status.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "absl/time/clock.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "wire/row_codec.h"
#include "wire/state_messages.h"

namespace tidemark {
namespace {

using google::protobuf::MessageLite;

constexpr char kUpdateMethod[] = "/tidemark.v1.Connector/Update";
// A server does not tell a stream of one request from a single request.
constexpr char kReadMethod[] = "/tidemark.v1.Connector/Read";

// Cumulative: the newest durable id, and of each entry the newest releasable body.
void Join(const Acknowledgement& newer, Acknowledgement* pending) {
  pending->durable = std::max(pending->durable, newer.durable);
  for (const StateEntry& entry : newer.releasable) {
    const auto same = std::find_if(
        pending->releasable.begin(), pending->releasable.end(), [&entry](const StateEntry& other) {
          return other.schema == entry.schema && other.table == entry.table;
        });
    if (same == pending->releasable.end()) {
      pending->releasable.push_back(entry);
    } else {
      *same = entry;
    }
  }
}

}  // namespace

// Reads arrive as bytes, not as messages: gRPC would end a call whose message does not parse
// without a status.
//
// Two holds keep the call's object alive while reads and writes are begun outside reactions; each
// is dropped once, when no further read or write can be begun.
class UpdateStream::Reactor final : public grpc::ClientBidiReactor<MessageLite, grpc::ByteBuffer> {
 public:
  Reactor(const std::shared_ptr<grpc::Channel>& channel, const v1::UpdateRequest& start,
          MessagePool* pool)
      : pool_(pool), written_(start) {
    Begin(channel, kUpdateMethod, &written_);
  }
  Reactor(const std::shared_ptr<grpc::Channel>& channel, const v1::ReadRequest& read,
          absl::Time deadline, MessagePool* pool)
      : pool_(pool), read_(read), half_close_(true) {
    if (deadline != absl::InfiniteFuture()) context_.set_deadline(absl::ToChronoTime(deadline));
    Begin(channel, kReadMethod, &read_);
  }

  // The destructor's part: afterwards gRPC has forgotten this object.
  void CancelAndWait() {
    context_.TryCancel();
    bool drop_read = false;
    bool drop_write = false;
    {
      MutexLock lock(mutex_);
      closing_ = true;
      drop_read = !reading_ && std::exchange(read_hold_, false);
      drop_write = !writing_ && std::exchange(write_hold_, false);
    }
    if (drop_read) RemoveHold();
    if (drop_write) RemoveHold();
    MutexLock lock(mutex_);
    while (!done_) changed_.Wait(mutex_);
  }

  Outcome Read(absl::Time deadline, absl::Duration stall, std::unique_ptr<StreamMessage>* message) {
    bool start_read = false;
    {
      MutexLock lock(mutex_);
      const Outcome outcome = Await(deadline, stall);
      if (outcome != Outcome::kMessage) return outcome;
      *message = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= (*message)->bytes;
      start_read = !reading_ && !read_ended_ && MayRead();
      if (start_read) BeginRead();
    }
    if (start_read) StartRead(&buffer_);
    return Outcome::kMessage;
  }

  void Acknowledge(const Acknowledgement& acknowledgement) {
    {
      MutexLock lock(mutex_);
      if (!write_hold_ || half_close_) return;
      Join(acknowledgement, &pending_);
      quiet_since_ = Clock::Real().Monotonic();  // the connector may have waited for this
      has_pending_ = true;
      if (writing_) return;
      BeginWrite();
    }
    StartWrite(&written_);
  }

  void HalfClose() {
    {
      MutexLock lock(mutex_);
      if (!write_hold_ || half_close_) return;
      half_close_ = true;
      if (writing_) return;
      writing_ = true;
    }
    StartWritesDone();
  }

  void Cancel() {
    context_.TryCancel();
    MutexLock lock(mutex_);
    cancelled_ = true;
    changed_.SignalAll();
  }

  const grpc::Status& status() const { return status_; }
  const grpc::ClientContext& context() const { return context_; }

 private:
  void Begin(const std::shared_ptr<grpc::Channel>& channel, const char* method,
             const MessageLite* first) {
    grpc::TemplatedGenericStub<MessageLite, grpc::ByteBuffer> stub(channel);
    stub.PrepareBidiStreamingCall(&context_, method, grpc::StubOptions(), this);
    AddMultipleHolds(2);
    StartWrite(first);
    {
      MutexLock lock(mutex_);
      quiet_since_ = Clock::Real().Monotonic();
    }
    StartRead(&buffer_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    std::unique_ptr<StreamMessage> message;
    if (ok) {
      message = pool_->Take();
      ParseStreamMessage(&buffer_, message.get());
      buffer_.Clear();
    }
    bool ended = false;
    bool drop_write = false;
    bool start_read = false;
    {
      MutexLock lock(mutex_);
      reading_ = false;
      ended = !ok || closing_;
      if (!ended) {
        waiting_bytes_ += message->bytes;
        waiting_.push_back(std::move(message));
        start_read = MayRead();
        if (start_read) BeginRead();
      } else {
        read_ended_ = true;
        read_hold_ = false;
        drop_write = !writing_ && std::exchange(write_hold_, false);
      }
      changed_.SignalAll();
    }
    if (start_read) StartRead(&buffer_);
    if (drop_write) RemoveHold();
    if (ended) RemoveHold();
  }

  void OnWriteDone(bool ok) override {
    bool drop = false;
    bool half_close = false;
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (!ok || read_ended_ || closing_) {
        drop = std::exchange(write_hold_, false);
      } else if (has_pending_) {
        BeginWrite();
      } else if (half_close_) {
        half_close = writing_ = true;
      } else {
        return;
      }
    }
    if (drop) {
      RemoveHold();
    } else if (half_close) {
      StartWritesDone();
    } else {
      StartWrite(&written_);
    }
  }

  void OnWritesDoneDone(bool) override {
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (!std::exchange(write_hold_, false)) return;
    }
    RemoveHold();
  }

  void OnDone(const grpc::Status& status) override {
    MutexLock lock(mutex_);
    status_ = status;
    done_ = true;
    changed_.SignalAll();
  }

  bool MayRead() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return waiting_.size() < kAheadMessages && waiting_bytes_ + kMessageBytes <= kAheadBytes;
  }

  void BeginRead() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    reading_ = true;
    quiet_since_ = Clock::Real().Monotonic();
  }

  // `written_` belongs to gRPC until OnWriteDone.
  void BeginWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    writing_ = true;
    has_pending_ = false;
    written_.Clear();
    AcknowledgementToMessage(pending_, written_.mutable_acknowledgement());
    pending_ = Acknowledgement();
  }

  Outcome Await(absl::Time deadline, absl::Duration stall) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (true) {
      if (cancelled_) return Outcome::kCancelled;
      if (!waiting_.empty()) return Outcome::kMessage;
      if (done_) return Outcome::kEnded;
      const absl::Duration until_stalled = quiet_since_ + stall - Clock::Real().Monotonic();
      if (until_stalled <= absl::ZeroDuration()) return Outcome::kStalled;
      const absl::Duration left = deadline - absl::Now();
      if (left <= absl::ZeroDuration()) return Outcome::kNothingYet;
      changed_.WaitFor(mutex_, std::min(left, until_stalled));
    }
  }

  MessagePool* const pool_;
  grpc::ClientContext context_;
  grpc::ByteBuffer buffer_;    // the read outstanding
  v1::UpdateRequest written_;  // the write outstanding
  const v1::ReadRequest read_;
  grpc::Status status_;  // written before done_

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::unique_ptr<StreamMessage>> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t waiting_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  Acknowledgement pending_ ABSL_GUARDED_BY(mutex_);
  bool has_pending_ ABSL_GUARDED_BY(mutex_) = false;
  bool reading_ ABSL_GUARDED_BY(mutex_) = true;
  bool writing_ ABSL_GUARDED_BY(mutex_) = true;  // the Start message, or WritesDone, too
  bool read_ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool half_close_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;  // CancelAndWait: begin nothing
  bool read_hold_ ABSL_GUARDED_BY(mutex_) = true;
  bool write_hold_ ABSL_GUARDED_BY(mutex_) = true;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration quiet_since_ ABSL_GUARDED_BY(mutex_);  // Clock::Monotonic; see kStalled
};

UpdateStream::UpdateStream(const std::shared_ptr<grpc::Channel>& channel,
                           const v1::UpdateRequest& start)
    : pool_(std::make_shared<MessagePool>()),
      reactor_(std::make_unique<Reactor>(channel, start, pool_.get())) {}

UpdateStream::UpdateStream(const std::shared_ptr<grpc::Channel>& channel,
                           const v1::ReadRequest& read, absl::Time deadline)
    : pool_(std::make_shared<MessagePool>()),
      reactor_(std::make_unique<Reactor>(channel, read, deadline, pool_.get())) {}

UpdateStream::~UpdateStream() { reactor_->CancelAndWait(); }

UpdateStream::Outcome UpdateStream::Read(absl::Time deadline, absl::Duration stall,
                                         std::unique_ptr<StreamMessage>* message) {
  return reactor_->Read(deadline, stall, message);
}

void UpdateStream::Acknowledge(const Acknowledgement& acknowledgement) {
  reactor_->Acknowledge(acknowledgement);
}

void UpdateStream::HalfClose() { reactor_->HalfClose(); }
void UpdateStream::Cancel() { reactor_->Cancel(); }
const grpc::Status& UpdateStream::status() const { return reactor_->status(); }
const grpc::ClientContext& UpdateStream::context() const { return reactor_->context(); }

}  // namespace tidemark
