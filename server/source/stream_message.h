// One message of the Update stream, parsed, and the pool its memory comes from.
#ifndef TIDEMARK_SOURCE_STREAM_MESSAGE_H_
#define TIDEMARK_SOURCE_STREAM_MESSAGE_H_

#include <google/protobuf/arena.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "core/change_batch.h"
#include "core/mutex.h"
#include "tidemark/v1/connector.pb.h"

namespace grpc {
class ByteBuffer;
}

namespace tidemark {

// Packed rows, nearly all of the traffic, are parsed into a RowBatch that is used again and again
// (a oneof would free its memory each time); anything else into `response`.
struct StreamMessage {
  v1::RowBatch row_batch;
  v1::UpdateResponse response;
  // Readable rows parsed in one piece of memory, instead of those of `response`.
  std::unique_ptr<google::protobuf::Arena> arena;
  v1::Rows* arena_rows = nullptr;
  bool is_row_batch = false;
  bool malformed = false;  // not a message of the contract
  size_t bytes = 0;        // on the wire

  const v1::Rows& rows() const { return arena_rows != nullptr ? *arena_rows : response.rows(); }
  // For rows that are to be parsed into the arena.
  v1::Rows* AddArenaRows();
};

// Thread-safe.
class MessagePool {
 public:
  std::unique_ptr<StreamMessage> Take();
  // Keeps a few of ordinary size.
  void Return(std::unique_ptr<StreamMessage> message);

 private:
  Mutex mutex_;
  std::vector<std::unique_ptr<StreamMessage>> idle_ ABSL_GUARDED_BY(mutex_);
};

// Copies the bytes out of gRPC's slices, once.
void ParseStreamMessage(grpc::ByteBuffer* buffer, StreamMessage* message);

// The message whose bytes a batch views; gives it back to the pool, which outlives the source.
class MessageBytes final : public BatchBytes {
 public:
  MessageBytes(std::unique_ptr<StreamMessage> message, std::shared_ptr<MessagePool> pool)
      : message_(std::move(message)), pool_(std::move(pool)) {}
  ~MessageBytes() override { pool_->Return(std::move(message_)); }

 private:
  std::unique_ptr<StreamMessage> message_;
  const std::shared_ptr<MessagePool> pool_;  // owners: the stream and every batch still in use
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_STREAM_MESSAGE_H_
