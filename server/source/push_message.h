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

// Of memory, that one message may take once it is parsed: a list of 4 MiB may have 2 million empty
// rows. What programs send in good faith takes ten times its bytes at most.
inline constexpr size_t kMaxParsedPush = size_t{32} << 20;

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
    kTooLarge,    // not parsed: it would take more than kMaxParsedPush; `problem` says so
  };
  Kind kind = Kind::kMalformed;
  uint64_t sequence = 0;  // 0: none
  uint64_t ordinal = 0;   // 1, 2, 3, ... in the order in which the call received them
  size_t bytes = 0;       // on the wire
  size_t memory = 0;      // parsed
  PushStart start;
  std::unique_ptr<StreamMessage> rows;
  v1::TableDefinition table;
  std::string state;
  std::string problem;
};

// Copies the bytes out of gRPC's slices, once; rows are parsed into memory of `pool`. What would
// take too much memory is told before it is parsed (wire/parsed_size.h).
std::unique_ptr<PushMessage> ParsePushMessage(grpc::ByteBuffer* buffer, MessagePool* pool);

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_PUSH_MESSAGE_H_
