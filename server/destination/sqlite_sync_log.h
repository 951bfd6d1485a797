// Syncs and dead letters in a SQLite destination: _tidemark_syncs, _tidemark_sync_tables and
// _tidemark_dead_letters. Every call runs inside the caller's transaction.
#ifndef TIDEMARK_DESTINATION_SQLITE_SYNC_LOG_H_
#define TIDEMARK_DESTINATION_SQLITE_SYNC_LOG_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "destination/destination.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// Writes the record, replacing one of the same id.
absl::Status WriteSync(SqliteConnection& connection, const SyncRecord& record);

// Closes the syncs of `owner` that were left running as failed, "process ended"; their ids.
absl::StatusOr<std::vector<std::string>> CloseRunningSyncs(SqliteConnection& connection,
                                                           const std::string& owner,
                                                           int64_t now_us);

// What tells one letter of a connection from another, raw: table, key, change and code.
std::string DeadLetterFingerprint(const std::string& owner, const DeadLetter& letter);
// A letter equal to a stored one counts as another attempt of it; one that was replayed is new
// again then.
absl::Status WriteDeadLetterRow(SqliteConnection& connection, const std::string& owner,
                                absl::string_view sync_id, const DeadLetter& letter,
                                int64_t now_us);

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_SYNC_LOG_H_
