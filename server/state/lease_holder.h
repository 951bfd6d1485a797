// Who holds a lease of a server (PostgreSQL, Redis), and whether that process is still there. A
// lease expires by the server's clock; it is taken over at once when its holder ran on this
// machine and is gone, so that a restart after kill -9 never waits (semantics.md section 6).
#ifndef TIDEMARK_STATE_LEASE_HOLDER_H_
#define TIDEMARK_STATE_LEASE_HOLDER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "state/holder_identity.h"
#include "state/state_store.h"

namespace tidemark {

// This process, for a lease. `boot_id` also names the pid namespace: two containers of one machine
// share the boot but cannot see each other's pids.
HolderIdentity LeaseIdentity();

// The holder ran in this boot and pid namespace and its process is gone (a zombie counts as gone;
// another process with the same pid began at another time).
bool HolderIsGone(const StateHolder& holder);

// FAILED_PRECONDITION for a caller of Acquire: who works on `connection` in `store` (its
// Describe()), since when, until when, and what to do.
absl::Status HeldByAnother(absl::string_view connection, absl::string_view store,
                           const StateHolder& holder);

// FAILED_PRECONDITION, FENCED: `holder` is there now, our epoch was `epoch`.
absl::Status FencedBy(absl::string_view connection, absl::string_view store,
                      const StateHolder& holder, int64_t epoch);

// DATA_LOSS, DIVERGED: `entry` is not at `expected`.
absl::Status Diverged(absl::string_view connection, absl::string_view store,
                      absl::string_view entry, int64_t expected);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_LEASE_HOLDER_H_
