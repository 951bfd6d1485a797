// How long to wait before another attempt. Thread-compatible.
#ifndef TIDEMARK_PIPELINE_BACKOFF_H_
#define TIDEMARK_PIPELINE_BACKOFF_H_

#include <cstdint>
#include <random>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "pipeline/sync.h"

namespace tidemark {

class Backoff {
 public:
  // `seed` 0: from the operating system.
  Backoff(const RetryPolicy& policy, uint64_t seed);

  // The wait after the n-th failure in a row (from 1): first * 2^(n-1), at most max, of which a
  // random part between a half and the whole is taken, so that many syncs do not come back
  // together. RetryAfter(status) wins over all of that.
  absl::Duration Wait(int failures, const absl::Status& status);

 private:
  RetryPolicy policy_;
  std::mt19937_64 random_;
};

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_BACKOFF_H_
