// Every time is INTEGER, Unix microseconds UTC, NULL where it is not known. The tables of state are
// described in state/sqlite_state_tables.cc.
#include "destination/sqlite_bookkeeping.h"

#include "absl/strings/str_cat.h"
#include "core/failpoint.h"

namespace tidemark {
namespace {

constexpr char kSchemaTables[] = R"sql(
CREATE TABLE _tidemark_tables(
  table_name TEXT NOT NULL PRIMARY KEY COLLATE NOCASE,
  connection TEXT NOT NULL,
  source_name TEXT NOT NULL,
  deletes TEXT NOT NULL,
  stale_guard TEXT,
  truncate_before INTEGER,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE _tidemark_columns(
  table_name TEXT NOT NULL COLLATE NOCASE,
  position INTEGER NOT NULL,
  column_name TEXT NOT NULL COLLATE NOCASE,
  source_name TEXT NOT NULL,
  type TEXT NOT NULL,
  precision INTEGER NOT NULL,
  scale INTEGER NOT NULL,
  declared INTEGER NOT NULL,
  is_key INTEGER NOT NULL,
  sensitive INTEGER NOT NULL,
  max_abs INTEGER NOT NULL,
  storage TEXT,
  PRIMARY KEY(table_name, position)
) WITHOUT ROWID;
)sql";

constexpr char kSyncTables[] = R"sql(
CREATE TABLE _tidemark_syncs(
  sync_id TEXT NOT NULL PRIMARY KEY,
  connection TEXT NOT NULL,
  source TEXT NOT NULL,
  destination TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  completed_at INTEGER,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  report TEXT NOT NULL
);
CREATE INDEX _tidemark_syncs_started ON _tidemark_syncs(connection, started_at);
CREATE TABLE _tidemark_sync_tables(
  id INTEGER PRIMARY KEY,
  sync_id TEXT NOT NULL,
  table_name TEXT NOT NULL,
  status TEXT NOT NULL,
  is_full_sync INTEGER NOT NULL,
  last_sync_timestamp TEXT NOT NULL,
  inserted INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  deleted INTEGER NOT NULL,
  unchanged INTEGER NOT NULL,
  superseded INTEGER NOT NULL,
  missing INTEGER NOT NULL,
  conflict INTEGER NOT NULL,
  late_queue INTEGER NOT NULL,
  dead_letter INTEGER NOT NULL,
  deleted_by_truncate INTEGER NOT NULL,
  duplicates_collapsed INTEGER NOT NULL
);
CREATE INDEX _tidemark_sync_tables_sync ON _tidemark_sync_tables(sync_id);
CREATE VIEW _tidemark_sync_metadata AS
  SELECT t.id AS id, t.table_name AS record_type, t.last_sync_timestamp AS last_sync_timestamp,
         t.inserted + t.updated + t.deleted + t.unchanged + t.superseded + t.missing + t.conflict
           + t.late_queue + t.dead_letter AS records_synced,
         t.is_full_sync AS is_full_sync, t.status AS sync_status,
         strftime('%Y-%m-%dT%H:%M:%SZ', s.started_at / 1000000, 'unixepoch') AS created_at
  FROM _tidemark_sync_tables t JOIN _tidemark_syncs s ON s.sync_id = t.sync_id;
CREATE TABLE _tidemark_dead_letters(
  id INTEGER PRIMARY KEY,
  connection TEXT NOT NULL,
  sync_id TEXT NOT NULL,
  table_name TEXT NOT NULL,
  key TEXT NOT NULL,
  change TEXT NOT NULL,
  reason TEXT NOT NULL,
  code INTEGER NOT NULL,
  context TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  status TEXT NOT NULL,
  fingerprint BLOB NOT NULL UNIQUE
);
)sql";

// A state was put into a new file (`tidemark state import`, `state restore`): its tables stand
// there, and none of a destination's.
absl::StatusOr<bool> StateAlone(SqliteConnection& connection) {
  absl::StatusOr<SqliteStatement*> row = connection.Query(
      "SELECT count(*) FROM sqlite_schema WHERE name IN ('_tidemark_tables', '_tidemark_columns', "
      "'_tidemark_syncs', '_tidemark_sync_tables', '_tidemark_dead_letters')");
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection.Next(**row);
  if (!found.ok()) return found.status();
  const bool none = *found && (*row)->Int(0) == 0;
  (*row)->Reset();
  return none;
}

}  // namespace

absl::Status EnsureBookkeeping(SqliteConnection& connection) {
  absl::StatusOr<int64_t> version = ReadBookkeepingVersion(connection);
  if (!version.ok()) return version.status();
  absl::StatusOr<bool> alone = StateAlone(connection);
  if (!alone.ok()) return alone.status();
  if (*version != 0 && !*alone) return absl::OkStatus();
  if (absl::Status s = connection.Execute("BEGIN IMMEDIATE"); !s.ok()) return s;
  version = ReadBookkeepingVersion(connection);  // another process may have been faster
  absl::Status status = version.status();
  if (status.ok()) alone = StateAlone(connection);
  if (status.ok()) status = alone.status();
  if (status.ok() && (*version == 0 || *alone)) {
    status = CreateStateTables(connection);
    if (status.ok()) status = connection.Execute(absl::StrCat(kSchemaTables, kSyncTables));
  }
  if (status.ok()) status = Failpoint("open.bookkeeping");
  if (status.ok()) status = connection.Execute("COMMIT");
  if (!status.ok() && !connection.autocommit()) {
    connection.Execute("ROLLBACK").IgnoreError();
  }
  return status;
}

}  // namespace tidemark
