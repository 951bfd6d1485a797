// Messages of a Push call, as they stand on the wire and as the source takes them.
#ifndef TIDEMARK_SOURCE_PUSH_MESSAGE_H_
#define TIDEMARK_SOURCE_PUSH_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "source/stream_message.h"

namespace grpc {
class ByteBuffer;
}

namespace tidemark {

// The first message of a call.
struct PushStart {
  std::string connection;
  std::string producer;
  int checkpoints = 0;  // v1::CheckpointMode, maybe of a newer version
  std::optional<uint64_t> expected_sequence;
};

// One PushRequest, parsed.
struct PushMessage {
  enum class Kind {
    kStart,
    kTable,
    kRows,        // `rows->rows()`
    kRowBatch,    // `rows->row_batch`
    kCheckpoint,  // `state`
    kUnknown,     // a kind of message, or a field, of a newer version; `problem` names it
    kMalformed,   // no PushRequest
  };
  Kind kind = Kind::kMalformed;
  uint64_t sequence = 0;  // 0: none
  uint64_t ordinal = 0;   // 1, 2, 3, ... in the order in which the call received them
  size_t bytes = 0;       // on the wire
  PushStart start;
  std::unique_ptr<StreamMessage> rows;
  v1::TableDefinition table;
  std::string state;
  std::string problem;
};

// Copies the bytes out of gRPC's slices, once; rows are parsed into memory of `pool`.
std::unique_ptr<PushMessage> ParsePushMessage(grpc::ByteBuffer* buffer, MessagePool* pool);

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_PUSH_MESSAGE_H_
