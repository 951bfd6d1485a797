// State in a PostgreSQL database: the bookkeeping tables in one schema, a lease row per connection.
#ifndef TIDEMARK_STATE_POSTGRES_STATE_STORE_H_
#define TIDEMARK_STATE_POSTGRES_STATE_STORE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "state/state_store.h"

namespace tidemark {

struct PostgresStateStoreOptions {
  std::string schema = "public";
  // How long a holder keeps the connection without Renew(), by the database's clock.
  absl::Duration lease = absl::Seconds(30);
  // Also takes a server that may lose what it acknowledged (fsync = off).
  bool accept_weak_durability = false;
};

// Connects to nothing yet: a server that does not answer is the error of the first call that needs
// it. INVALID_ARGUMENT: `connection_string` cannot be understood. It is in no message.
//
// Acquire makes the schema and its tables where they are missing. Every write is one transaction
// with the lease row locked FOR SHARE, so that a takeover waits for it or fences it
// (semantics.md section 6); synchronous_commit is never off. A stopped holder inside such a
// transaction is ended by the server after the lease. A broken connection is made anew by the next
// call; Append settles an unknown outcome by trying once more and reading back.
absl::StatusOr<std::unique_ptr<StateStore>> OpenPostgresStateStore(
    const std::string& connection_string, const std::string& connection,
    const PostgresStateStoreOptions& options);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_POSTGRES_STATE_STORE_H_
