#include "destination/sqlite_sync_log.h"

#include "core/digest.h"

namespace tidemark {

absl::Status WriteSync(SqliteConnection& connection, const SyncRecord& record) {
  absl::Status status = connection.Run(
      "INSERT OR REPLACE INTO _tidemark_syncs(sync_id, connection, source, destination, "
      "started_at, completed_at, status, reason, report) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
      record.sync_id, record.connection, record.source, record.destination, record.started_at_us,
      SqliteTime{record.completed_at_us}, record.status, record.reason, record.report_json);
  if (!status.ok()) return status;
  status = connection.Run("DELETE FROM _tidemark_sync_tables WHERE sync_id = ?", record.sync_id);
  for (const TableRecord& table : record.tables) {
    if (!status.ok()) return status;
    const ChangeCounts& counts = table.counts;
    status = connection.Run(
        "INSERT INTO _tidemark_sync_tables(sync_id, table_name, status, is_full_sync, "
        "last_sync_timestamp, inserted, updated, deleted, unchanged, superseded, missing, "
        "conflict, late_queue, dead_letter, deleted_by_truncate, duplicates_collapsed) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        record.sync_id, table.table, table.status, table.full, table.last_sync_timestamp,
        counts.inserted, counts.updated, counts.deleted, counts.unchanged, counts.superseded,
        counts.missing, counts.conflict, counts.late_queue, counts.dead_letter,
        counts.deleted_by_truncate, counts.duplicates_collapsed);
  }
  return status;
}

absl::StatusOr<std::vector<std::string>> CloseRunningSyncs(SqliteConnection& connection,
                                                           const std::string& owner,
                                                           int64_t now_us) {
  // Without it each sync would look at every sync there ever was. Files of before have none.
  absl::Status indexed = connection.Run(
      "CREATE INDEX IF NOT EXISTS _tidemark_syncs_running ON _tidemark_syncs(connection) "
      "WHERE status = 'running'");
  if (!indexed.ok()) return indexed;
  absl::StatusOr<SqliteStatement*> rows = connection.Query(
      "UPDATE _tidemark_syncs INDEXED BY _tidemark_syncs_running "
      "SET status = 'failed', reason = 'process ended', completed_at = ? "
      "WHERE connection = ? AND status = 'running' RETURNING sync_id",
      now_us, owner);
  if (!rows.ok()) return rows.status();
  std::vector<std::string> closed;
  while (true) {
    absl::StatusOr<bool> row = connection.Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return closed;
    closed.push_back((*rows)->String(0));
  }
}

std::string DeadLetterFingerprint(const std::string& owner, const DeadLetter& letter) {
  Digest digest(32);
  digest.Add(owner);
  digest.Add(letter.table);
  digest.Add(letter.key_json);
  digest.Add(letter.change_json);
  digest.AddInt(static_cast<int64_t>(letter.code));
  return digest.Finish();
}

absl::Status WriteDeadLetterRow(SqliteConnection& connection, const std::string& owner,
                                absl::string_view sync_id, const DeadLetter& letter,
                                int64_t now_us) {
  const std::string fingerprint = DeadLetterFingerprint(owner, letter);
  return connection.Run(
      "INSERT INTO _tidemark_dead_letters(connection, sync_id, table_name, key, change, reason, "
      "code, context, first_seen, last_seen, attempts, status, fingerprint) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, 1, 'new', ?10) "
      "ON CONFLICT(fingerprint) DO UPDATE SET sync_id = excluded.sync_id, "
      "reason = excluded.reason, context = excluded.context, last_seen = excluded.last_seen, "
      "attempts = attempts + 1, "
      "status = CASE status WHEN 'replayed' THEN 'new' ELSE status END",
      owner, sync_id, letter.table, letter.key_json, letter.change_json, letter.reason,
      static_cast<int64_t>(letter.code), letter.context_json, now_us, SqliteBlob{fingerprint});
}

}  // namespace tidemark
