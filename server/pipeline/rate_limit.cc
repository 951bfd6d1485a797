#include "pipeline/rate_limit.h"

#include <algorithm>

namespace tidemark {
namespace {

constexpr absl::Duration kHolds = absl::Seconds(1);  // what a full bucket allows at once

// `paid` after `amount` more was taken.
absl::Duration After(absl::Duration paid, uint64_t amount, uint64_t per_second,
                     absl::Duration now) {
  if (per_second == 0) return paid;
  return std::max(paid, now - kHolds) +
         absl::Seconds(static_cast<double>(amount) / static_cast<double>(per_second));
}

}  // namespace

void RateLimit::Take(uint64_t rows, uint64_t bytes, absl::Duration now) {
  MutexLock lock(mutex_);
  rows_paid_ = After(rows_paid_, rows, limits_.rows, now);
  bytes_paid_ = After(bytes_paid_, bytes, limits_.bytes, now);
}

absl::Duration RateLimit::Owed(absl::Duration now) const {
  MutexLock lock(mutex_);
  return std::max(absl::ZeroDuration(), std::max(rows_paid_, bytes_paid_) - now);
}

}  // namespace tidemark
