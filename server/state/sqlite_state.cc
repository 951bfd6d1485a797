#include "state/sqlite_state.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/digest.h"
#include "core/time_text.h"
#include "state/connection_lock.h"

namespace tidemark {
namespace {

StateEntry AsEntry(const StateVersion& version, const std::string& schema,
                   const std::string& table) {
  StateEntry entry;
  entry.schema = schema;
  entry.table = table;
  entry.body = version.body;
  entry.cursor = version.cursor;
  entry.format = version.format;
  entry.kind = static_cast<uint32_t>(version.kind);
  entry.version = static_cast<uint64_t>(version.version);
  entry.committed_at_us = version.created_at_us;
  entry.watermark_us = version.watermark_us;
  return entry;
}

}  // namespace

absl::Status SqliteState::CheckFence() {
  absl::StatusOr<SqliteStatement*> row = connection_.Query(
      "SELECT epoch, holder, acquired_at FROM _tidemark_connections "
      "WHERE connection = ?",
      request_.connection);
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection_.Next(**row);
  if (!found.ok()) return found.status();
  const int64_t epoch = *found ? (*row)->Int(0) : 0;
  const std::string holder = *found ? (*row)->String(1) : "nobody";
  const int64_t since = *found ? (*row)->Int(2) : 0;
  (*row)->Reset();
  if (epoch == epoch_) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("FENCED: connection \"", request_.connection, "\" was taken over by ", holder,
                   " at ", FormatReportTime(absl::FromUnixMicros(since)), " (epoch ", epoch,
                   ", ours is ", epoch_, "); nothing was written here"));
}

absl::Status SqliteState::Acquire(int64_t now_us) {
  const HolderIdentity self = CurrentProcess();
  absl::Status status = connection_.Run(
      "INSERT INTO _tidemark_connections(connection, epoch, holder, boot_id, pid, pid_start, "
      "acquired_at, expires_at, last_synced) VALUES(?, 1, ?, ?, ?, ?, ?, NULL, 0) "
      "ON CONFLICT(connection) DO UPDATE SET epoch = epoch + 1, holder = excluded.holder, "
      "boot_id = excluded.boot_id, pid = excluded.pid, pid_start = excluded.pid_start, "
      "acquired_at = excluded.acquired_at",
      request_.connection, request_.holder, self.boot_id, self.pid, self.start, now_us);
  if (!status.ok()) return status;
  absl::StatusOr<SqliteStatement*> row =
      connection_.Query("SELECT epoch, last_synced FROM _tidemark_connections WHERE connection = ?",
                        request_.connection);
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection_.Next(**row);
  if (!found.ok()) return found.status();
  epoch_ = (*row)->Int(0);
  last_synced_us_ = (*row)->Int(1);
  (*row)->Reset();

  entries_.clear();
  absl::StatusOr<SqliteStatement*> names = connection_.Query(
      "SELECT entry, source_schema, source_table FROM _tidemark_state WHERE connection = ?",
      request_.connection);
  if (!names.ok()) return names.status();
  while (true) {
    absl::StatusOr<bool> more = connection_.Next(**names);
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    status = LoadEntry((*names)->String(0), (*names)->String(1), (*names)->String(2), now_us);
    if (!status.ok()) {
      (*names)->Reset();
      return status;
    }
  }
}

absl::Status SqliteState::LoadEntry(const std::string& name, const std::string& schema,
                                    const std::string& table, int64_t now_us) {
  Entry entry;
  entry.schema = schema;
  entry.table = table;
  absl::Status status = ReadHistory(connection_, request_.connection, name, true, false, 1,
                                    [&entry](StateVersion& version) {
                                      entry.head = std::move(version);
                                      return absl::OkStatus();
                                    });
  if (!status.ok()) return status;
  status = ReadHistory(connection_, request_.connection, name, false, false,
                       request_.horizon.newer_versions + 1, [&entry](StateVersion& version) {
                         StateVersion brief;
                         brief.version = version.version;
                         brief.created_at_us = version.created_at_us;
                         entry.recent.push_front(std::move(brief));
                         return absl::OkStatus();
                       });
  if (!status.ok()) return status;
  absl::StatusOr<SqliteStatement*> row = connection_.Query(
      "SELECT (SELECT min(version) FROM _tidemark_state_history WHERE connection = ?1 AND "
      "entry = ?2), (SELECT coalesce(sum(length(body)), 0) FROM _tidemark_state_bodies WHERE "
      "connection = ?1 AND entry = ?2)",
      request_.connection, name);
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection_.Next(**row);
  if (!found.ok()) return found.status();
  entry.oldest = (*row)->Int(0);
  entry.history_bytes = (*row)->Int(1);
  (*row)->Reset();
  bool changed = false;
  if (status = UpdateReleasable(name, now_us, &entry, &changed); !status.ok()) return status;
  entries_[name] = std::move(entry);
  return absl::OkStatus();
}

absl::StatusOr<CommitResult> SqliteState::Write(const CommitRequest& request, int64_t now_us) {
  pending_.clear();
  if (absl::Status s = CheckFence(); !s.ok()) return s;
  CommitResult result;
  for (const EntryCommit& commit : request.entries) {
    auto found = entries_.find(commit.entry);
    Entry& entry = pending_[commit.entry];
    if (found != entries_.end()) entry = found->second;
    absl::StatusOr<StateVersion> version = WriteEntry(commit, request, now_us, &entry);
    if (!version.ok()) return version.status();
    bool changed = false;
    if (absl::Status s = UpdateReleasable(commit.entry, now_us, &entry, &changed); !s.ok()) {
      return s;
    }
    if (changed) result.releasable.push_back(entry.releasable);
    if (absl::Status s = Retain(commit.entry, &entry); !s.ok()) return s;
    result.versions.push_back(*std::move(version));
  }
  if (request.last_synced_us > last_synced_us_) {
    absl::Status status =
        connection_.Run("UPDATE _tidemark_connections SET last_synced = ? WHERE connection = ?",
                        request.last_synced_us, request_.connection);
    if (!status.ok()) return status;
  }
  return result;
}

absl::StatusOr<StateVersion> SqliteState::WriteEntry(const EntryCommit& commit,
                                                     const CommitRequest& request, int64_t now_us,
                                                     Entry* entry) {
  StateVersion version;
  version.connection = request_.connection;
  version.entry = commit.entry;
  version.version = commit.expected_version + 1;  // Invariant I3.
  version.parent = commit.expected_version;
  version.epoch = epoch_;
  version.kind = commit.kind;
  version.sync_id = request.sync_id;
  version.group_id = request.group_id;
  version.counts = commit.counts;
  version.created_at_us = now_us;
  version.engine = engine_;
  version.prev_chain = entry->head.chain;
  if (commit.state.has_value()) {
    version.format = commit.state->format;
    version.body = commit.state->body;
    version.cursor = commit.state->cursor;
    version.watermark_us = commit.state->watermark_us;
    entry->schema = commit.state->schema;
    entry->table = commit.state->table;
  } else {
    version.format = entry->head.format;
    version.body = entry->head.body;
    version.cursor = entry->head.cursor;
    version.watermark_us = entry->head.watermark_us;
    if (commit.expected_version == 0) entry->table = commit.entry;
  }
  version.body_hash = Blake2b256(version.body);
  version.chain = ComputeChain(version);
  if (absl::Status s = MoveHead(commit, version, entry); !s.ok()) return s;
  if (absl::Status s = InsertVersion(version, entry); !s.ok()) return s;

  StateVersion brief;
  brief.version = version.version;
  brief.created_at_us = version.created_at_us;
  entry->recent.push_back(std::move(brief));
  while (static_cast<int64_t>(entry->recent.size()) > request_.horizon.newer_versions + 1) {
    entry->recent.pop_front();
  }
  StateVersion told = version;
  told.body.clear();
  entry->head = std::move(version);
  return told;
}

absl::Status SqliteState::MoveHead(const EntryCommit& commit, const StateVersion& version,
                                   Entry* entry) {
  // Invariant I3: compare and set; a miss means that somebody else wrote here.
  absl::Status status =
      commit.expected_version == 0
          ? connection_.Run(
                "INSERT INTO _tidemark_state(connection, entry, source_schema, "
                "source_table, version, chain, anchor) VALUES(?, ?, ?, ?, ?, ?, x'') "
                "ON CONFLICT DO NOTHING",
                version.connection, version.entry, entry->schema, entry->table, version.version,
                SqliteBlob{version.chain})
          : connection_.Run(
                "UPDATE _tidemark_state SET version = version + 1, chain = ?, "
                "source_schema = ?, source_table = ? WHERE connection = ? AND "
                "entry = ? AND version = ? AND chain = ?",
                SqliteBlob{version.chain}, entry->schema, entry->table, version.connection,
                version.entry, commit.expected_version, SqliteBlob{version.prev_chain});
  if (!status.ok()) return status;
  if (sqlite3_changes(connection_.db()) == 1) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "DIVERGED: state entry \"", commit.entry, "\" of connection \"", version.connection, "\" in ",
      connection_.path(), " is not at version ", commit.expected_version,
      ", on which this commit builds; nothing was written. Run `tidemark state log` to see who "
      "wrote it"));
}

absl::Status SqliteState::InsertVersion(const StateVersion& version, Entry* entry) {
  absl::Status status = connection_.Run(
      "INSERT INTO _tidemark_state_bodies(connection, entry, body_hash, body) VALUES(?, ?, ?, ?) "
      "ON CONFLICT DO NOTHING",
      version.connection, version.entry, SqliteBlob{version.body_hash}, SqliteBlob{version.body});
  if (!status.ok()) return status;
  if (sqlite3_changes(connection_.db()) == 1) {
    entry->history_bytes += static_cast<int64_t>(version.body.size());
  }
  const ChangeCounts& counts = version.counts;
  return connection_.Run(
      "INSERT INTO _tidemark_state_history VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      version.connection, version.entry, version.version, version.parent, version.epoch,
      StateKindName(version.kind), version.format, SqliteBlob{version.body_hash},
      SqliteBlob{version.prev_chain}, SqliteBlob{version.chain}, version.sync_id, version.group_id,
      counts.inserted, counts.updated, counts.deleted, counts.unchanged, counts.superseded,
      counts.missing, counts.conflict, counts.late_queue, counts.dead_letter,
      counts.deleted_by_truncate, counts.duplicates_collapsed, version.cursor,
      SqliteTime{version.watermark_us}, version.created_at_us, version.engine);
}

absl::Status SqliteState::UpdateReleasable(const std::string& name, int64_t now_us, Entry* entry,
                                           bool* changed) {
  const std::vector<StateVersion> recent(entry->recent.begin(), entry->recent.end());
  const int64_t newest = NewestReleasable(recent, now_us, request_.horizon);
  *changed = false;
  if (newest == 0 || newest <= static_cast<int64_t>(entry->releasable.version)) {
    return absl::OkStatus();
  }
  const std::string body = entry->releasable.body;
  const bool first = entry->releasable.version == 0;
  absl::StatusOr<SqliteStatement*> row = connection_.Query(
      "SELECT h.format, h.kind, h.cursor_max, h.watermark, h.created_at, b.body "
      "FROM _tidemark_state_history h JOIN _tidemark_state_bodies b "
      "USING(connection, entry, body_hash) WHERE connection = ? AND entry = ? AND version = ?",
      request_.connection, name, newest);
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection_.Next(**row);
  if (!found.ok()) return found.status();
  if (!*found) return absl::OkStatus();
  StateVersion version;
  version.version = newest;
  version.format = static_cast<uint32_t>((*row)->Int(0));
  version.kind = ParseStateKind((*row)->Text(1)).value_or(StateKind::kNormal);
  version.cursor = (*row)->String(2);
  version.watermark_us = (*row)->IsNull(3) ? kNoTime : (*row)->Int(3);
  version.created_at_us = (*row)->Int(4);
  version.body = std::string((*row)->Bytes(5));
  (*row)->Reset();
  entry->releasable = AsEntry(version, entry->schema, entry->table);
  *changed = first || entry->releasable.body != body;
  return absl::OkStatus();
}

absl::Status SqliteState::Retain(const std::string& name, Entry* entry) {
  // What the rollback horizon may still need stays, however large.
  const int64_t keep_from = entry->head.version - request_.horizon.newer_versions;
  while (entry->oldest < keep_from &&
         (entry->head.version - entry->oldest >= request_.retention.versions ||
          entry->history_bytes > request_.retention.bytes)) {
    absl::StatusOr<SqliteStatement*> row = connection_.Query(
        "DELETE FROM _tidemark_state_history WHERE connection = ? AND entry = ? AND version = ? "
        "RETURNING chain, body_hash",
        request_.connection, name, entry->oldest);
    if (!row.ok()) return row.status();
    absl::StatusOr<bool> found = connection_.Next(**row);
    if (!found.ok()) return found.status();
    const std::string chain(*found ? (*row)->Bytes(0) : "");
    const std::string body_hash(*found ? (*row)->Bytes(1) : "");
    if (absl::Status s = connection_.Finish(**row); !s.ok()) return s;
    if (chain.empty()) {
      return absl::DataLossError(absl::StrCat("state version ", entry->oldest, " of entry \"", name,
                                              "\" is gone from ", connection_.path()));
    }
    absl::Status status =
        connection_.Run("UPDATE _tidemark_state SET anchor = ? WHERE connection = ? AND entry = ?",
                        SqliteBlob{chain}, request_.connection, name);
    if (!status.ok()) return status;
    row = connection_.Query(
        "DELETE FROM _tidemark_state_bodies WHERE connection = ?1 AND entry = ?2 AND "
        "body_hash = ?3 AND NOT EXISTS (SELECT 1 FROM _tidemark_state_history WHERE "
        "connection = ?1 AND entry = ?2 AND body_hash = ?3) RETURNING length(body)",
        request_.connection, name, SqliteBlob{body_hash});
    if (!row.ok()) return row.status();
    found = connection_.Next(**row);
    if (!found.ok()) return found.status();
    if (*found) {
      entry->history_bytes -= (*row)->Int(0);
      if (absl::Status s = connection_.Finish(**row); !s.ok()) return s;
    }
    ++entry->oldest;
  }
  return absl::OkStatus();
}

void SqliteState::Settle() {
  for (auto& [name, entry] : pending_) entries_[name] = std::move(entry);
  pending_.clear();
}

absl::StatusOr<bool> SqliteState::WasCommitted(const CommitRequest& request) {
  if (request.entries.empty()) return false;
  absl::StatusOr<SqliteStatement*> row = connection_.Query(
      "SELECT 1 FROM _tidemark_state_history WHERE connection = ? AND entry = ? AND version = ? "
      "AND group_id = ?",
      request_.connection, request.entries[0].entry, request.entries[0].expected_version + 1,
      request.group_id);
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection_.Next(**row);
  (*row)->Reset();
  return found;
}

std::vector<StateEntry> SqliteState::Current() const {
  std::vector<StateEntry> states;
  for (const auto& [name, entry] : entries_) {
    states.push_back(AsEntry(entry.head, entry.schema, entry.table));
  }
  return states;
}

std::vector<StateEntry> SqliteState::Releasable() const {
  std::vector<StateEntry> states;
  for (const auto& [name, entry] : entries_) {
    if (entry.releasable.version != 0) states.push_back(entry.releasable);
  }
  return states;
}

}  // namespace tidemark
