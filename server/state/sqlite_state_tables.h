// The tables in which a SQLite file keeps state: beside the rows of a destination, or alone.
#ifndef TIDEMARK_STATE_SQLITE_STATE_TABLES_H_
#define TIDEMARK_STATE_SQLITE_STATE_TABLES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/sqlite_connection.h"

namespace tidemark {

inline constexpr int64_t kBookkeepingVersion = 1;

// Version found in _tidemark_meta; 0: the file has no bookkeeping. FAILED_PRECONDITION: it is of a
// newer engine. DATA_LOSS: there are tables of ours, but no version. Others may create the tables
// meanwhile, in one transaction.
absl::StatusOr<int64_t> ReadBookkeepingVersion(SqliteConnection& connection);

// Creates the state tables that do not exist and notes the version. REQUIRES: a transaction.
absl::Status CreateStateTables(SqliteConnection& connection);

// Names of the state tables that do not exist; _tidemark_meta is one of them.
absl::StatusOr<std::vector<std::string>> MissingStateTables(SqliteConnection& connection);

// Whether the file shows that `owner` (a connection's name) has written rows into it
// (_tidemark_tables), or with `began` that a sync of it began (_tidemark_syncs).
absl::StatusOr<bool> HasSynced(SqliteConnection& connection, const std::string& owner, bool began);

// Creates missing state tables, except where `owner` has synced before: what is missing then was
// lost, and a new beginning would read as if nothing had ever been synced. DATA_LOSS says what is
// missing; the same when the tables are there but nothing of `owner` in them.
// REQUIRES: a transaction.
absl::Status EnsureStateTables(SqliteConnection& connection, const std::string& owner);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_SQLITE_STATE_TABLES_H_
