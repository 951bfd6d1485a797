// What the state of a producer holds (proto/tidemark/v1/ingest.proto): the number of its last
// durable message and what its last PushCheckpoint gave. Pure functions; thread-safe.
//
// The body of the connection-wide entry, format 1:
//   "tidemark-push/1 " SEQUENCE "\n" STATE
// SEQUENCE: decimal, without leading zeros; STATE: the client's bytes up to the end. So that
// `tidemark state show` prints a line that people read, and then what the program wrote.
#ifndef TIDEMARK_SOURCE_PUSH_STATE_H_
#define TIDEMARK_SOURCE_PUSH_STATE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark {

inline constexpr uint32_t kPushStateFormat = 1;
inline constexpr size_t kMaxPushStateBytes = size_t{1} << 20;  // of the client's part

struct PushState {
  uint64_t sequence = 0;  // 0: no message is durable yet
  std::string state;
};

std::string PushStateBody(uint64_t sequence, absl::string_view state);
// FAILED_PRECONDITION: of a newer version. DATA_LOSS: it is no such body.
absl::StatusOr<PushState> ParsePushState(absl::string_view body, uint32_t format);

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_PUSH_STATE_H_
