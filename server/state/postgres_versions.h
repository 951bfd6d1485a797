// Reading and writing the versions of one connection in PostgreSQL, without ownership or
// transactions: those belong to PostgresStateStore.
#ifndef TIDEMARK_STATE_POSTGRES_VERSIONS_H_
#define TIDEMARK_STATE_POSTGRES_VERSIONS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "state/postgres_session.h"
#include "state/state_store.h"

namespace tidemark {

// Confined to one thread; borrows the session.
class PostgresVersions {
 public:
  // `schema` is quoted.
  PostgresVersions(PostgresSession& session, std::string schema, std::string connection)
      : session_(session), schema_(std::move(schema)), connection_(std::move(connection)) {}

  // What Append keeps of the history.
  void Keep(const HistoryRetention& retention, const RollbackHorizon& horizon) {
    retention_ = retention;
    horizon_ = horizon;
  }

  absl::StatusOr<std::vector<StateHead>> Heads();
  // In pages: a session can run one statement at a time, and `each` may use it.
  absl::Status Read(const VersionQuery& query,
                    const std::function<absl::Status(StoredVersion&)>& each);
  // Inside the caller's transaction. DATA_LOSS: DIVERGED.
  absl::Status Append(const VersionAppend& append);
  // Whether exactly this version is in the history.
  absl::StatusOr<bool> Holds(const StateVersion& version);
  // After a transaction that failed: what was counted in it is void.
  void Forget() { sizes_.clear(); }

 private:
  struct Size {
    int64_t oldest = 0;
    int64_t bytes = 0;  // of the stored bodies
  };

  std::string Sql(absl::string_view text) const;
  absl::Status MoveHead(const VersionAppend& append);
  absl::Status SetAside(const VersionAppend& append);
  absl::Status Insert(const StateVersion& version, Size* size);
  absl::StatusOr<Size*> SizeOf(const std::string& entry);
  absl::Status Retain(const StateVersion& newest, Size* size);
  absl::Status DropOldest(const std::string& entry, Size* size);
  absl::Status DropBody(const std::string& entry, absl::string_view body_hash, Size* size);

  PostgresSession& session_;
  const std::string schema_;
  const std::string connection_;
  HistoryRetention retention_;
  RollbackHorizon horizon_;
  std::map<std::string, Size> sizes_;  // by entry, as the open transaction leaves them
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_POSTGRES_VERSIONS_H_
