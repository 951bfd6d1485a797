// The wire alone: rows from the generator's process over gRPC into an apply thread that decodes
// and checks every value and then drops it.
#ifndef TIDEMARK_TESTS_BENCH_WIRE_H_
#define TIDEMARK_TESTS_BENCH_WIRE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tidemark {

struct WireResult {
  uint64_t rows = 0;
  absl::Duration elapsed;  // from the start of the child to the end of the sync
};

// `host_binary`: tidemark-plugin-host; `plugin`: generator.so.
absl::StatusOr<WireResult> RunWire(const std::string& host_binary, const std::string& plugin,
                                   uint64_t rows);

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_BENCH_WIRE_H_
