// How often something took how long: the buckets of one histogram.
#ifndef TIDEMARK_CORE_LATENCY_COUNTS_H_
#define TIDEMARK_CORE_LATENCY_COUNTS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace tidemark {

// A value; thread-compatible.
struct LatencyCounts {
  // Upper bounds of the buckets in seconds, each inclusive; the last bucket has none.
  static constexpr std::array<double, 11> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                     0.1,   0.25,   0.5,   1,    5};

  std::array<uint64_t, kBounds.size() + 1> counts{};  // of each bucket alone
  double sum_seconds = 0;

  void Add(absl::Duration latency) {
    const double seconds = absl::ToDoubleSeconds(latency);
    size_t bucket = 0;
    while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
    ++counts[bucket];
    sum_seconds += seconds;
  }
};

}  // namespace tidemark

#endif  // TIDEMARK_CORE_LATENCY_COUNTS_H_
