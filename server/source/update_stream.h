// The one bidirectional call of a sync, or a Read: reads ahead a little, writes acknowledgements.
#ifndef TIDEMARK_SOURCE_UPDATE_STREAM_H_
#define TIDEMARK_SOURCE_UPDATE_STREAM_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "core/checkpoint.h"
#include "source/stream_message.h"

namespace grpc {
class Channel;
class ClientContext;
class Status;
}  // namespace grpc

namespace tidemark {

// The stream is the queue: a callback reactor reads on gRPC's threads until kAheadMessages or
// kAheadBytes wait for the apply thread, then it stops reading and HTTP/2 flow control holds the
// connector back. Confined to the apply thread, except Cancel. The destructor cancels the call and
// waits for its end.
class UpdateStream {
 public:
  // A next message of ordinary size (row_codec.h, kMessageBytes) fits below the bound; a larger
  // one is read only when nothing else of size waits.
  static constexpr size_t kAheadMessages = 4;
  static constexpr size_t kAheadBytes = size_t{4} * 1024 * 1024;

  UpdateStream(const std::shared_ptr<grpc::Channel>& channel, const v1::UpdateRequest& start);
  // Of a Read instead: nothing further is written. `deadline`: of the whole call.
  UpdateStream(const std::shared_ptr<grpc::Channel>& channel, const v1::ReadRequest& read,
               absl::Time deadline);
  ~UpdateStream();
  UpdateStream(const UpdateStream&) = delete;
  UpdateStream& operator=(const UpdateStream&) = delete;

  enum class Outcome {
    kMessage,
    kNothingYet,  // the deadline passed
    kStalled,     // for `stall` it sent nothing, though it was read and had nothing to wait for
    kEnded,       // nothing will come; status() is there
    kCancelled,   // by Cancel
  };
  // The next message in order.
  Outcome Read(absl::Time deadline, absl::Duration stall, std::unique_ptr<StreamMessage>* message);

  // Joins what waits to be written: cumulative, one outstanding write. Nothing happens once the
  // connector has ended the call.
  void Acknowledge(const Acknowledgement& acknowledgement);
  // After the acknowledgements that wait. Nothing may be written afterwards.
  void HalfClose();

  // Thread-safe. Ends the call; blocked and later reads return kCancelled.
  void Cancel();

  // REQUIRES: Read returned kEnded.
  const grpc::Status& status() const;
  const grpc::ClientContext& context() const;

  const std::shared_ptr<MessagePool>& pool() const { return pool_; }

 private:
  class Reactor;
  const std::shared_ptr<MessagePool> pool_;
  const std::unique_ptr<Reactor> reactor_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_UPDATE_STREAM_H_
