#include "pipeline/backoff.h"

#include <algorithm>

#include "core/status_context.h"

namespace tidemark {

Backoff::Backoff(const RetryPolicy& policy, RandomBits& random)
    : policy_(policy), random_(random) {}

absl::Duration Backoff::Wait(int failures, const absl::Status& status) {
  if (const auto asked = RetryAfter(status); asked.has_value()) {
    return std::max(absl::ZeroDuration(), *asked);
  }
  absl::Duration wait = policy_.first;
  for (int i = 1; i < failures && wait < policy_.max; ++i) wait *= 2;
  wait = std::min(wait, policy_.max);
  return wait * (0.5 + 0.5 * random_.Unit());
}

}  // namespace tidemark
