// State in Redis: one hash, set or list per part (redis_scripts.cc), a token that grows with every
// holder and a lease that expires.
#ifndef TIDEMARK_STATE_REDIS_STATE_STORE_H_
#define TIDEMARK_STATE_REDIS_STATE_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "state/state_store.h"

namespace tidemark {

struct RedisStateStoreOptions {
  // How long a holder keeps the connection without Renew(), by the server's clock.
  absl::Duration lease = absl::Seconds(30);
  // Also takes a server that may lose what it acknowledged.
  bool accept_weak_durability = false;
};

// Connects to nothing yet: a server that does not answer is the error of the first call that needs
// it. INVALID_ARGUMENT, UNIMPLEMENTED: `address` (redis:// or unix:). It is in no message.
//
// Acquire and Renew refuse a server that may lose an acknowledged version, or the token that fences
// (FAILED_PRECONDITION): it must have appendonly yes and appendfsync always, so that it answers
// after its fsync, no-appendfsync-on-rewrite no, no eviction of keys without expiry, and be no
// replica. A broken connection is made anew by the next call; Append settles an unknown outcome by
// trying once more and reading back.
absl::StatusOr<std::unique_ptr<StateStore>> OpenRedisStateStore(
    const std::string& address, const std::string& connection,
    const RedisStateStoreOptions& options);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_REDIS_STATE_STORE_H_
