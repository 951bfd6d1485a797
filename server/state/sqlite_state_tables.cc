// Every time is INTEGER, Unix microseconds UTC, NULL where it is not known. Hashes are BLOBs of 32
// raw bytes. The columns of _tidemark_state_history stand in the order in which the chain hashes
// them (state/state_version.cc); the body of a version stands in _tidemark_state_bodies, once per
// entry however many versions share it. _tidemark_state_damaged keeps versions that a repair has
// set aside, value by value as they were found, whatever their type; repaired_by is the version
// that the repair appended. In _tidemark_connections expires_at is NULL while the holder works, and
// the time at which it gave the connection back afterwards.
#include "state/sqlite_state_tables.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tidemark {
namespace {

constexpr char kStateTables[] = R"sql(
CREATE TABLE IF NOT EXISTS _tidemark_meta(schema_version INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS _tidemark_connections(
  connection TEXT NOT NULL PRIMARY KEY,
  epoch INTEGER NOT NULL,
  holder TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  pid INTEGER NOT NULL,
  pid_start INTEGER NOT NULL,
  acquired_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_synced INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _tidemark_state(
  connection TEXT NOT NULL,
  entry TEXT NOT NULL,
  source_schema TEXT NOT NULL,
  source_table TEXT NOT NULL,
  version INTEGER NOT NULL,
  chain BLOB NOT NULL,
  anchor BLOB NOT NULL,
  PRIMARY KEY(connection, entry)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _tidemark_state_history(
  connection TEXT NOT NULL,
  entry TEXT NOT NULL,
  version INTEGER NOT NULL,
  parent INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  kind TEXT NOT NULL,
  format INTEGER NOT NULL,
  body_hash BLOB NOT NULL,
  prev_chain BLOB NOT NULL,
  chain BLOB NOT NULL,
  sync_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
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
  duplicates_collapsed INTEGER NOT NULL,
  cursor_max TEXT NOT NULL,
  watermark INTEGER,
  created_at INTEGER NOT NULL,
  engine TEXT NOT NULL,
  PRIMARY KEY(connection, entry, version)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS _tidemark_state_history_body
  ON _tidemark_state_history(connection, entry, body_hash);
CREATE TABLE IF NOT EXISTS _tidemark_state_bodies(
  connection TEXT NOT NULL,
  entry TEXT NOT NULL,
  body_hash BLOB NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY(connection, entry, body_hash)
);
CREATE TABLE IF NOT EXISTS _tidemark_state_damaged(
  id INTEGER PRIMARY KEY,
  connection,
  entry,
  version,
  parent,
  epoch,
  kind,
  format,
  body_hash,
  prev_chain,
  chain,
  sync_id,
  group_id,
  inserted,
  updated,
  deleted,
  unchanged,
  superseded,
  missing,
  conflict,
  late_queue,
  dead_letter,
  deleted_by_truncate,
  duplicates_collapsed,
  cursor_max,
  watermark,
  created_at,
  engine,
  body,
  repaired_by INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS _tidemark_audit(
  id INTEGER PRIMARY KEY,
  connection TEXT NOT NULL,
  at INTEGER NOT NULL,
  action TEXT NOT NULL,
  entry TEXT NOT NULL,
  holder TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS _tidemark_audit_connection ON _tidemark_audit(connection, id);
)sql";

constexpr std::array<const char*, 7> kTableNames = {
    "_tidemark_meta",          "_tidemark_connections",  "_tidemark_state",
    "_tidemark_state_history", "_tidemark_state_bodies", "_tidemark_state_damaged",
    "_tidemark_audit",
};

absl::StatusOr<bool> AnyRow(SqliteConnection& connection, absl::string_view sql,
                            const std::string& owner) {
  absl::StatusOr<SqliteStatement*> row = connection.Query(sql, owner);
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection.Next(**row);
  (*row)->Reset();
  return found;
}

absl::StatusOr<bool> TableExists(SqliteConnection& connection, const std::string& name) {
  return AnyRow(connection, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", name);
}

absl::Status Lost(const SqliteConnection& connection, const std::string& owner,
                  absl::string_view what) {
  return absl::DataLossError(absl::StrCat(
      "the state of connection \"", owner, "\" is gone from ", connection.path(), " (", what,
      ") although it has synced into it before; nothing was changed: restore a backup of the file, "
      "or rebuild the state with `tidemark state repair`"));
}

}  // namespace

absl::StatusOr<int64_t> ReadBookkeepingVersion(SqliteConnection& connection) {
  // Before the version is looked for: whoever creates the tables commits all of them at once, and
  // may do so between two of these questions.
  absl::StatusOr<bool> any = AnyRow(
      connection, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name GLOB ? || '*' LIMIT 1",
      "_tidemark_");
  if (!any.ok()) return any.status();
  if (!*any) return 0;
  absl::StatusOr<bool> meta = TableExists(connection, "_tidemark_meta");
  if (!meta.ok()) return meta.status();
  int64_t found = 0;
  if (*meta) {
    absl::StatusOr<SqliteStatement*> version =
        connection.Query("SELECT max(schema_version) FROM _tidemark_meta");
    if (!version.ok()) return version.status();
    absl::StatusOr<bool> row = connection.Next(**version);
    if (!row.ok()) return row.status();
    found = *row ? (*version)->Int(0) : 0;
    (*version)->Reset();
  }
  if (found > kBookkeepingVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        connection.path(), " was written by a newer engine (bookkeeping version ", found,
        ", this one knows ", kBookkeepingVersion, "); install that engine or a newer one"));
  }
  if (found > 0) return found;
  return absl::DataLossError(
      absl::StrCat("table _tidemark_meta is gone from ", connection.path(),
                   " or holds no version, so the format of the other _tidemark_ tables is not "
                   "known; nothing was changed: restore a backup of the file, or rebuild the "
                   "state with `tidemark state repair`"));
}

absl::Status CreateStateTables(SqliteConnection& connection) {
  return connection.Execute(
      absl::StrCat(kStateTables, "DELETE FROM _tidemark_meta; INSERT INTO _tidemark_meta VALUES(",
                   kBookkeepingVersion, ");"));
}

absl::StatusOr<std::vector<std::string>> MissingStateTables(SqliteConnection& connection) {
  std::vector<std::string> missing;
  for (const char* name : kTableNames) {
    absl::StatusOr<bool> found = TableExists(connection, name);
    if (!found.ok()) return found.status();
    if (!*found) missing.emplace_back(name);
  }
  return missing;
}

absl::StatusOr<bool> HasSynced(SqliteConnection& connection, const std::string& owner, bool began) {
  for (const char* table : {"_tidemark_tables", "_tidemark_syncs"}) {
    absl::StatusOr<bool> found = TableExists(connection, table);
    if (found.ok() && *found) {
      found = AnyRow(connection,
                     absl::StrCat("SELECT 1 FROM ", table, " WHERE connection = ? LIMIT 1"), owner);
    }
    if (!found.ok() || *found) return found;
    if (!began) return false;
  }
  return false;
}

absl::Status EnsureStateTables(SqliteConnection& connection, const std::string& owner) {
  absl::StatusOr<std::vector<std::string>> missing = MissingStateTables(connection);
  if (!missing.ok()) return missing.status();
  if (!missing->empty()) {
    absl::StatusOr<bool> synced = HasSynced(connection, owner, true);
    if (!synced.ok()) return synced.status();
    if (*synced) {
      return Lost(connection, owner, absl::StrCat("no table ", absl::StrJoin(*missing, ", ")));
    }
    return CreateStateTables(connection);
  }
  absl::StatusOr<bool> present =
      AnyRow(connection,
             "SELECT 1 FROM _tidemark_state WHERE connection = ?1 UNION ALL "
             "SELECT 1 FROM _tidemark_state_history WHERE connection = ?1 LIMIT 1",
             owner);
  if (!present.ok()) return present.status();
  if (*present) return absl::OkStatus();
  absl::StatusOr<bool> synced = HasSynced(connection, owner, false);
  if (!synced.ok()) return synced.status();
  return *synced ? Lost(connection, owner, "no version of it is left") : absl::OkStatus();
}

}  // namespace tidemark
