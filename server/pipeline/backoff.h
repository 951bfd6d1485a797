// How long to wait before another attempt. Thread-compatible.
#ifndef TIDEMARK_PIPELINE_BACKOFF_H_
#define TIDEMARK_PIPELINE_BACKOFF_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/random_bits.h"
#include "pipeline/sync.h"

namespace tidemark {

class Backoff {
 public:
  // `random` is borrowed.
  Backoff(const RetryPolicy& policy, RandomBits& random);

  // The wait after the n-th failure in a row (from 1): first * 2^(n-1), at most max, of which a
  // random part between a half and the whole is taken, so that many syncs do not come back
  // together. RetryAfter(status) wins over all of that.
  absl::Duration Wait(int failures, const absl::Status& status);

 private:
  RetryPolicy policy_;
  RandomBits& random_;
};

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_BACKOFF_H_
