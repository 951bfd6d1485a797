// The rate limits of connections, each shared by all syncs and producers of its connection.
#ifndef TIDEMARK_SERVICE_CONNECTION_RATES_H_
#define TIDEMARK_SERVICE_CONNECTION_RATES_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "core/mutex.h"
#include "pipeline/rate_limit.h"

namespace tidemark {

// Thread-safe. A limit is kept while somebody uses it or something is owed, so that a sync that
// begins soon after another one pays for both.
class ConnectionRates {
 public:
  // Null: `limits` limit nothing. Those who hold one with other limits go on with it.
  std::shared_ptr<RateLimit> Of(const std::string& connection, const RateLimits& limits,
                                absl::Duration now);

 private:
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<RateLimit>> rates_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONNECTION_RATES_H_
