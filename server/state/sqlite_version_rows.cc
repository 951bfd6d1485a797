#include "state/sqlite_version_rows.h"

#include "absl/strings/str_cat.h"
#include "core/failpoint.h"

namespace tidemark {
namespace {

constexpr char kRowColumns[] =
    "connection, entry, version, parent, epoch, kind, format, body_hash, prev_chain, chain, "
    "sync_id, group_id, inserted, updated, deleted, unchanged, superseded, missing, conflict, "
    "late_queue, dead_letter, deleted_by_truncate, duplicates_collapsed, cursor_max, watermark, "
    "created_at, engine";

// A head whose fields have lost their types is still told apart by what they read as; the casts say
// the same as sqlite3_column_int64 and sqlite3_column_blob.
constexpr char kUpdateHead[] =
    "UPDATE _tidemark_state SET version = ?, chain = ?, source_schema = ?, source_table = ?, "
    "anchor = coalesce(?, anchor, x'') WHERE connection = ? AND entry = ? "
    "AND coalesce(CAST(version AS INTEGER), 0) = ? AND coalesce(CAST(chain AS BLOB), x'') = ?";

absl::Status UpdateHead(SqliteConnection& connection, const StateVersion& version,
                        const HeadMove& move) {
  std::optional<SqliteBlob> anchor;
  if (move.anchor != nullptr) anchor = SqliteBlob{*move.anchor};
  return connection.Run(kUpdateHead, version.version, SqliteBlob{version.chain}, move.schema,
                        move.table, anchor, version.connection, version.entry,
                        move.expected_version, SqliteBlob{move.expected_chain});
}

// The body that no version names any more; how many bytes that frees.
absl::StatusOr<int64_t> DropBody(SqliteConnection& connection, const std::string& owner,
                                 const std::string& entry, const std::string& body_hash) {
  absl::StatusOr<SqliteStatement*> row = connection.Query(
      "DELETE FROM _tidemark_state_bodies WHERE connection = ?1 AND entry = ?2 AND "
      "body_hash = ?3 AND NOT EXISTS (SELECT 1 FROM _tidemark_state_history WHERE "
      "connection = ?1 AND entry = ?2 AND body_hash = ?3) RETURNING length(body)",
      owner, entry, SqliteBlob{body_hash});
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection.Next(**row);
  if (!found.ok()) return found.status();
  if (!*found) return 0;
  const int64_t bytes = (*row)->Int(0);
  if (absl::Status s = connection.Finish(**row); !s.ok()) return s;
  return bytes;
}

}  // namespace

absl::Status MoveHead(SqliteConnection& connection, const StateVersion& version,
                      const HeadMove& move) {
  if (absl::Status s = UpdateHead(connection, version, move); !s.ok()) return s;
  if (sqlite3_changes(connection.db()) == 1) return absl::OkStatus();
  if (move.expected_version == 0) {
    absl::Status status = connection.Run(
        "INSERT INTO _tidemark_state(connection, entry, source_schema, source_table, version, "
        "chain, anchor) VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        version.connection, version.entry, move.schema, move.table, version.version,
        SqliteBlob{version.chain},
        SqliteBlob{move.anchor == nullptr ? absl::string_view() : absl::string_view(*move.anchor)});
    if (!status.ok()) return status;
    if (sqlite3_changes(connection.db()) == 1) return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(
      "DIVERGED: state entry \"", version.entry, "\" of connection \"", version.connection,
      "\" in ", connection.path(), " is not at version ", move.expected_version,
      ", on which this commit builds; nothing was written. Run `tidemark state log` "
      "to see who wrote it"));
}

absl::StatusOr<int64_t> InsertVersion(SqliteConnection& connection, const StateVersion& version) {
  absl::Status status = connection.Run(
      "INSERT INTO _tidemark_state_bodies(connection, entry, body_hash, body) VALUES(?, ?, ?, ?) "
      "ON CONFLICT DO NOTHING",
      version.connection, version.entry, SqliteBlob{version.body_hash}, SqliteBlob{version.body});
  if (!status.ok()) return status;
  const int64_t grown =
      sqlite3_changes(connection.db()) == 1 ? static_cast<int64_t>(version.body.size()) : 0;
  if (absl::Status s = Failpoint("apply.history"); !s.ok()) return s;
  const ChangeCounts& counts = version.counts;
  status = connection.Run(
      "INSERT INTO _tidemark_state_history VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      version.connection, version.entry, version.version, version.parent, version.epoch,
      StateKindName(version.kind), version.format, SqliteBlob{version.body_hash},
      SqliteBlob{version.prev_chain}, SqliteBlob{version.chain}, version.sync_id, version.group_id,
      counts.inserted, counts.updated, counts.deleted, counts.unchanged, counts.superseded,
      counts.missing, counts.conflict, counts.late_queue, counts.dead_letter,
      counts.deleted_by_truncate, counts.duplicates_collapsed, version.cursor,
      SqliteTime{version.watermark_us}, version.created_at_us, version.engine);
  if (!status.ok()) return status;
  return grown;
}

absl::Status SetAside(SqliteConnection& connection, const StateVersion& repair,
                      absl::Span<const int64_t> versions) {
  for (const int64_t number : versions) {
    const std::string mine = "connection = ?1 AND entry = ?2 AND CAST(version AS INTEGER) = ?3";
    absl::Status status = connection.Run(
        absl::StrCat("INSERT INTO _tidemark_state_damaged(", kRowColumns, ", body, repaired_by) ",
                     "SELECT ", kRowColumns,
                     ", (SELECT b.body FROM _tidemark_state_bodies b WHERE "
                     "b.connection = h.connection AND b.entry = h.entry AND "
                     "b.body_hash = h.body_hash), ?4 FROM _tidemark_state_history h WHERE ",
                     mine),
        repair.connection, repair.entry, number, repair.version);
    if (!status.ok()) return status;
    std::string hash;
    absl::StatusOr<SqliteStatement*> row =
        connection.Query(absl::StrCat("DELETE FROM _tidemark_state_history WHERE ", mine,
                                      " RETURNING CAST(body_hash AS BLOB)"),
                         repair.connection, repair.entry, number);
    if (!row.ok()) return row.status();
    absl::StatusOr<bool> found = connection.Next(**row);
    if (!found.ok()) return found.status();
    if (!*found) continue;
    hash = std::string((*row)->Bytes(0));
    if (absl::Status s = connection.Finish(**row); !s.ok()) return s;
    absl::StatusOr<int64_t> freed = DropBody(connection, repair.connection, repair.entry, hash);
    if (!freed.ok()) return freed.status();
  }
  return absl::OkStatus();
}

absl::StatusOr<KeptHistory> ReadKept(SqliteConnection& connection, const std::string& owner,
                                     const std::string& entry) {
  absl::StatusOr<SqliteStatement*> row = connection.Query(
      "SELECT (SELECT min(version) FROM _tidemark_state_history WHERE connection = ?1 AND "
      "entry = ?2), (SELECT count(*) FROM _tidemark_state_history WHERE connection = ?1 AND "
      "entry = ?2), (SELECT coalesce(sum(length(body)), 0) FROM _tidemark_state_bodies WHERE "
      "connection = ?1 AND entry = ?2)",
      owner, entry);
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection.Next(**row);
  if (!found.ok()) return found.status();
  KeptHistory kept = {(*row)->Int(0), (*row)->Int(1), (*row)->Int(2)};
  (*row)->Reset();
  return kept;
}

absl::Status DropOldest(SqliteConnection& connection, const std::string& owner,
                        const std::string& entry, const HistoryRetention& retention,
                        const RollbackHorizon& horizon, KeptHistory* kept) {
  // What the rollback horizon may still need stays, however large.
  while (kept->versions - 1 > horizon.newer_versions &&
         (kept->versions > retention.versions || kept->bytes > retention.bytes)) {
    absl::StatusOr<SqliteStatement*> row = connection.Query(
        "DELETE FROM _tidemark_state_history WHERE connection = ? AND entry = ? AND version = ? "
        "RETURNING chain, body_hash",
        owner, entry, kept->oldest);
    if (!row.ok()) return row.status();
    absl::StatusOr<bool> found = connection.Next(**row);
    if (!found.ok()) return found.status();
    const std::string chain(*found ? (*row)->Bytes(0) : "");
    const std::string body_hash(*found ? (*row)->Bytes(1) : "");
    if (absl::Status s = connection.Finish(**row); !s.ok()) return s;
    if (chain.empty()) {
      return absl::DataLossError(absl::StrCat("state version ", kept->oldest, " of entry \"", entry,
                                              "\" is gone from ", connection.path()));
    }
    absl::Status status =
        connection.Run("UPDATE _tidemark_state SET anchor = ? WHERE connection = ? AND entry = ?",
                       SqliteBlob{chain}, owner, entry);
    if (!status.ok()) return status;
    absl::StatusOr<int64_t> freed = DropBody(connection, owner, entry, body_hash);
    if (!freed.ok()) return freed.status();
    kept->bytes -= *freed;
    --kept->versions;
    // The next one need not be the next number: a repair leaves a gap.
    row = connection.Query(
        "SELECT min(version) FROM _tidemark_state_history WHERE connection = ? AND entry = ?",
        owner, entry);
    if (!row.ok()) return row.status();
    found = connection.Next(**row);
    if (!found.ok()) return found.status();
    kept->oldest = (*row)->Int(0);
    (*row)->Reset();
  }
  return absl::OkStatus();
}

}  // namespace tidemark
