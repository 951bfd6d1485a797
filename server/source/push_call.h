// The server's side of one Push call: reads ahead a little, keeps what is not acknowledged, writes.
#ifndef TIDEMARK_SOURCE_PUSH_CALL_H_
#define TIDEMARK_SOURCE_PUSH_CALL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "source/push_stream.h"

namespace grpc {
class ByteBuffer;
class CallbackServerContext;
template <class Request, class Response>
class ServerBidiReactor;
class Status;
}  // namespace grpc

namespace tidemark {

// The stream is the queue: a reactor on gRPC's threads reads until kAheadMessages, kAheadBytes or
// kAheadMemory wait for the apply thread, then it stops and HTTP/2 flow control holds the client
// back. No thread belongs to a call. Thread-safe, but for what PushStream says.
class PushCall final : public PushStream {
 public:
  static constexpr size_t kAheadMessages = 4;
  static constexpr size_t kAheadBytes = size_t{4} << 20;
  // Of parsed messages: readable rows take some ten times their bytes. One more may be added.
  static constexpr size_t kAheadMemory = size_t{16} << 20;
  // Of read messages that are not acknowledged, for Rewind().
  static constexpr size_t kKeptBytes = size_t{16} << 20;
  // Answers that wait for a client that does not read them; more row errors are only counted.
  static constexpr size_t kWaitingAnswers = 10'000;

  // Whose call it is. Called on gRPC's threads without locks held; must not block.
  class Keeper {
   public:
    virtual ~Keeper() = default;
    // The first message is there. Then: Proceed() or Finish().
    virtual void OnFirst(const std::shared_ptr<PushCall>& call,
                         std::unique_ptr<PushMessage> first) = 0;
    // The client is gone: once. Finish() is due.
    virtual void OnCut(const std::shared_ptr<PushCall>& call) = 0;
    // The call is over.
    virtual void OnDone(const std::shared_ptr<PushCall>& call) = 0;
  };

  using Reactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

  // `keeper` outlives the call. The object lives at least until OnDone.
  static std::shared_ptr<PushCall> Open(grpc::CallbackServerContext* context, Keeper* keeper);
  ~PushCall() override;
  PushCall(const PushCall&) = delete;
  PushCall& operator=(const PushCall&) = delete;

  // As gRPC wants it; lives until OnDone.
  Reactor* reactor();
  // REQUIRES: OnDone was not called.
  const grpc::CallbackServerContext& context() const;

  void Begin();    // reads the first message
  void Proceed();  // reads the others
  // Ends the call once what waits to be written is written. The first one counts.
  void Finish(const grpc::Status& status);
  // The same with Ended as the last message.
  void FinishWell(uint64_t durable_sequence, uint64_t state_version);
  // Ends it at once, for a client that does not read.
  void Abort();

  Outcome Read(absl::Time deadline, std::unique_ptr<PushMessage>* message) override;
  bool Rewind() override;
  const std::shared_ptr<MessagePool>& pool() const override;
  void Start(const PushStarted& started) override;
  void Acknowledge(uint64_t sequence, uint64_t state_version) override;
  void SendRowError(const PushRowError& error) override;
  void SendWarning(absl::string_view table, absl::string_view text) override;
  void Cancel() override;

 private:
  class Work;
  explicit PushCall(std::unique_ptr<Work> work);

  const std::unique_ptr<Work> work_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_PUSH_CALL_H_
