// Reads the state tables of a SQLite file, and L0 of semantics.md section 7 over them.
#ifndef TIDEMARK_STATE_SQLITE_HISTORY_H_
#define TIDEMARK_STATE_SQLITE_HISTORY_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/sqlite_connection.h"
#include "state/state_store.h"

namespace tidemark {

// As StateStore::ReadVersions, for the connection called `owner`. `each` must not read the same
// file through the same SqliteConnection.
absl::Status ReadVersions(SqliteConnection& connection, const std::string& owner,
                          const VersionQuery& query,
                          const std::function<absl::Status(StoredVersion&)>& each);

// As StateStore::Heads.
absl::StatusOr<std::vector<StateHead>> ReadHeads(SqliteConnection& connection,
                                                 const std::string& owner);

// L0 over every entry of `owner`; DATA_LOSS says what does not fit. One body in memory at a time.
absl::Status VerifyStoredState(SqliteConnection& connection, const std::string& owner);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_SQLITE_HISTORY_H_
