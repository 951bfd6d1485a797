#include "pipeline/backoff.h"

#include <algorithm>

#include "core/status_context.h"

namespace tidemark {

Backoff::Backoff(const RetryPolicy& policy, uint64_t seed)
    : policy_(policy), random_(seed != 0 ? seed : std::random_device{}()) {}

absl::Duration Backoff::Wait(int failures, const absl::Status& status) {
  if (const auto asked = RetryAfter(status); asked.has_value()) {
    return std::max(absl::ZeroDuration(), *asked);
  }
  absl::Duration wait = policy_.first;
  for (int i = 1; i < failures && wait < policy_.max; ++i) wait *= 2;
  wait = std::min(wait, policy_.max);
  return wait * std::uniform_real_distribution<double>(0.5, 1.0)(random_);
}

}  // namespace tidemark
