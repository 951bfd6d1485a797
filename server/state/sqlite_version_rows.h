// Writes the rows of one state version into a SQLite file: its head, itself, its body, and what
// retention drops. Shared by the commit of a sync (SqliteState) and by SqliteStateStore. Every
// function REQUIRES a transaction that the caller rolls back on an error.
#ifndef TIDEMARK_STATE_SQLITE_VERSION_ROWS_H_
#define TIDEMARK_STATE_SQLITE_VERSION_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "state/sqlite_connection.h"
#include "state/state_version.h"

namespace tidemark {

// From where to where an entry's head moves.
struct HeadMove {
  const std::string& schema;
  const std::string& table;
  int64_t expected_version = 0;  // 0: the entry must not exist
  const std::string& expected_chain;
  const std::string* anchor = nullptr;  // null: as it was
};

// Invariant I3: compare and set. DATA_LOSS (DIVERGED): the head is not as expected.
absl::Status MoveHead(SqliteConnection& connection, const StateVersion& version,
                      const HeadMove& move);

// Adds the version to history, and its body unless the entry has it already. Returns by how many
// bytes the entry's bodies have grown.
absl::StatusOr<int64_t> InsertVersion(SqliteConnection& connection, const StateVersion& version);

// Moves versions of an entry, whatever stands in their rows, out of history into
// _tidemark_state_damaged, with their bodies. Numbers that do not exist are skipped.
absl::Status SetAside(SqliteConnection& connection, const StateVersion& repair,
                      absl::Span<const int64_t> versions);

// How much of an entry's history is kept at present.
struct KeptHistory {
  int64_t oldest = 0;  // lowest version; 0: none
  int64_t versions = 0;
  int64_t bytes = 0;  // of the bodies, equal ones once
};
absl::StatusOr<KeptHistory> ReadKept(SqliteConnection& connection, const std::string& owner,
                                     const std::string& entry);

// Drops the oldest versions beyond `retention`, never one inside `horizon`, and moves the anchor.
absl::Status DropOldest(SqliteConnection& connection, const std::string& owner,
                        const std::string& entry, const HistoryRetention& retention,
                        const RollbackHorizon& horizon, KeptHistory* kept);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_SQLITE_VERSION_ROWS_H_
