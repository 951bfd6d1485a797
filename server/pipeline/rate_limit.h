// How fast the changes of one connection may come, in the mean.
#ifndef TIDEMARK_PIPELINE_RATE_LIMIT_H_
#define TIDEMARK_PIPELINE_RATE_LIMIT_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "core/mutex.h"

namespace tidemark {

// Per second; 0: as many as come.
struct RateLimits {
  uint64_t rows = 0;
  uint64_t bytes = 0;  // as encoded in messages

  bool any() const { return rows > 0 || bytes > 0; }
  bool operator==(const RateLimits&) const = default;
};

// A bucket that holds what one second allows. What is taken is paid for afterwards: a batch of more
// is taken whole, and the next one waits until it is paid for. Thread-safe: all who work on the
// connection share one. Times are of Clock::Monotonic().
class RateLimit {
 public:
  explicit RateLimit(const RateLimits& limits) : limits_(limits) {}
  RateLimit(const RateLimit&) = delete;
  RateLimit& operator=(const RateLimit&) = delete;

  const RateLimits& limits() const { return limits_; }
  void Take(uint64_t rows, uint64_t bytes, absl::Duration now);
  // How long until everything taken is paid for; zero: the next may be taken.
  absl::Duration Owed(absl::Duration now) const;

 private:
  const RateLimits limits_;
  mutable Mutex mutex_;
  // When everything taken will be paid for, by rows and by bytes; at least a second ago where the
  // bucket is full.
  absl::Duration rows_paid_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  absl::Duration bytes_paid_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_RATE_LIMIT_H_
