#include "source/stream_message.h"

#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>

#include <utility>

namespace tidemark {
namespace {

using google::protobuf::io::CodedInputStream;

constexpr size_t kArenaBlockBytes = size_t{128} * 1024;
constexpr size_t kIdleMessages = 8;
constexpr size_t kIdleBytes = size_t{2} * 1024 * 1024;  // a larger one is freed
// The tag of UpdateResponse.row_batch: field 1, length-delimited.
constexpr uint32_t kRowBatchTag = (uint32_t{v1::UpdateResponse::kRowBatchFieldNumber} << 3) | 2;

// True when the bytes are one row batch and nothing else.
bool ParseRowBatch(grpc::ByteBuffer* buffer, v1::RowBatch* batch) {
  grpc::ProtoBufferReader reader(buffer);
  if (!reader.status().ok()) return false;
  CodedInputStream input(&reader);
  uint32_t size = 0;
  if (input.ReadTag() != kRowBatchTag || !input.ReadVarint32(&size)) return false;
  if (static_cast<size_t>(input.CurrentPosition()) + size != buffer->Length()) return false;
  return batch->MergeFromCodedStream(&input) && input.ConsumedEntireMessage();
}

}  // namespace

v1::Rows* StreamMessage::AddArenaRows() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = kArenaBlockBytes;
  options.max_block_size = kArenaBlockBytes;
  arena = std::make_unique<google::protobuf::Arena>(options);
  arena_rows = google::protobuf::Arena::CreateMessage<v1::Rows>(arena.get());
  return arena_rows;
}

std::unique_ptr<StreamMessage> MessagePool::Take() {
  {
    MutexLock lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<StreamMessage> message = std::move(idle_.back());
      idle_.pop_back();
      return message;
    }
  }
  return std::make_unique<StreamMessage>();
}

void MessagePool::Return(std::unique_ptr<StreamMessage> message) {
  if (message->bytes > kIdleBytes) return;
  message->row_batch.Clear();  // keeps the memory of its strings
  message->response.Clear();
  message->arena_rows = nullptr;
  message->arena = nullptr;
  MutexLock lock(mutex_);
  if (idle_.size() < kIdleMessages) idle_.push_back(std::move(message));
}

void ParseStreamMessage(grpc::ByteBuffer* buffer, StreamMessage* message) {
  message->bytes = buffer->Length();
  message->malformed = false;
  message->is_row_batch = ParseRowBatch(buffer, &message->row_batch);
  if (message->is_row_batch) return;
  grpc::ProtoBufferReader reader(buffer);
  message->malformed = !reader.status().ok() || !message->response.ParseFromZeroCopyStream(&reader);
}

}  // namespace tidemark
