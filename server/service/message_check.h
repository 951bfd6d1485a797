// Whether a message holds only what this version knows.
#ifndef TIDEMARK_SERVICE_MESSAGE_CHECK_H_
#define TIDEMARK_SERVICE_MESSAGE_CHECK_H_

#include "absl/status/status.h"

namespace google::protobuf {
class Message;
}

namespace tidemark {

// INVALID_ARGUMENT naming message and field (reason UNKNOWN_FIELD, UNKNOWN_VALUE or TOO_LARGE): a
// field or an enum value of `message` or of anything in it that this version does not know, a text
// with a byte 0, a time that is none (years 1 to 9999), or one of the limits below. Walks the whole
// message.
absl::Status CheckMessage(const google::protobuf::Message& message);

inline constexpr int kMaxRepeated = 10'000;        // elements of a list
inline constexpr size_t kMaxIdempotencyKey = 128;  // bytes of `idempotency_key`
inline constexpr size_t kMaxPageToken = 2'048;     // bytes of `page_token`
inline constexpr size_t kMaxNameText = 500;        // bytes of `name`, `connection`, `table`, ids

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_MESSAGE_CHECK_H_
