// The status of a gRPC call, absl <-> grpc.
#ifndef TIDEMARK_WIRE_CALL_STATUS_H_
#define TIDEMARK_WIRE_CALL_STATUS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace grpc {
class ClientContext;
class ServerContext;
class Status;
}  // namespace grpc

namespace tidemark {

// gRPC sends the text in a header, whose size is limited.
inline constexpr size_t kMaxStatusBytes = 8'000;

// Text of outside as a proto3 string may hold it: each byte that is no UTF-8 becomes U+FFFD.
std::string MessageText(absl::string_view text);

// The text as it may be sent: at most 8,000 bytes, cut at a character boundary, bytes that are no
// UTF-8 and control characters other than newline and tab replaced.
std::string StatusText(absl::string_view text);

// 0..16; any other number is UNKNOWN.
absl::StatusCode CodeFromNumber(int32_t code);

// The answer to a unary call. Beside the status two trailers travel: the wait the source asked for
// (core/status_context.h), and the mark that this is the connector's own verdict, so that the
// client can tell its UNAVAILABLE from one of the transport.
grpc::Status AnswerCall(const absl::Status& status, grpc::ServerContext* context);

struct CallResult {
  absl::Status status;   // with RetryAfter where the trailer says so
  bool verdict = false;  // the connector said it (its host set the mark); OK is always a verdict
};
// REQUIRES: the call has ended, so that its trailers are there.
CallResult ResultOfCall(const grpc::Status& status, const grpc::ClientContext& context);

grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

}  // namespace tidemark

#endif  // TIDEMARK_WIRE_CALL_STATUS_H_
