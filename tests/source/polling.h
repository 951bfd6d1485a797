// Waiting for what nobody announces: the end of a foreign process, a peer that stands still.
#ifndef TIDEMARK_TESTS_SOURCE_POLLING_H_
#define TIDEMARK_TESTS_SOURCE_POLLING_H_

#include <cstdint>
#include <functional>

#include "absl/time/time.h"

namespace tidemark {

// Looks again and again. False: not within `timeout`.
bool Eventually(const std::function<bool()>& condition, absl::Duration timeout = absl::Seconds(10));

// Returns the counter's value once it has not changed for 100 ms.
int64_t AwaitStandstill(const std::function<int64_t()>& counter);

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SOURCE_POLLING_H_
