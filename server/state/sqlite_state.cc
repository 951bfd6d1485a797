#include "state/sqlite_state.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/digest.h"
#include "core/failpoint.h"
#include "state/sqlite_history.h"

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

absl::Status SqliteState::Load(int64_t now_us) {
  entries_.clear();
  absl::StatusOr<std::vector<StateHead>> heads = ReadHeads(connection_, request_.connection);
  if (!heads.ok()) return heads.status();
  for (const StateHead& head : *heads) {
    if (absl::Status s = LoadEntry(head, now_us); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status SqliteState::LoadEntry(const StateHead& head, int64_t now_us) {
  if (absl::Status s = Failpoint("open.load_entry"); !s.ok()) return s;
  Entry entry;
  entry.schema = head.schema;
  entry.table = head.table;
  VersionQuery query;
  query.entry = head.entry;
  query.newest_first = true;
  query.limit = 1;
  absl::Status status =
      ReadVersions(connection_, request_.connection, query, [&entry](StoredVersion& stored) {
        entry.head = std::move(stored.version);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  query.limit = request_.horizon.newer_versions + 1;
  query.bodies = false;
  status =
      ReadVersions(connection_, request_.connection, query, [this, &entry](StoredVersion& stored) {
        Remember(stored.version, &entry);
        return absl::OkStatus();
      });
  if (!status.ok()) return status;
  std::reverse(entry.recent.begin(), entry.recent.end());
  absl::StatusOr<KeptHistory> kept = ReadKept(connection_, request_.connection, head.entry);
  if (!kept.ok()) return kept.status();
  entry.kept = *kept;
  bool changed = false;
  if (status = UpdateReleasable(head.entry, now_us, &entry, &changed); !status.ok()) return status;
  entries_[head.entry] = std::move(entry);
  return absl::OkStatus();
}

void SqliteState::Remember(const StateVersion& version, Entry* entry) const {
  StateVersion brief;
  brief.version = version.version;
  brief.parent = version.parent;
  brief.kind = version.kind;
  brief.created_at_us = version.created_at_us;
  entry->recent.push_back(std::move(brief));
  while (static_cast<int64_t>(entry->recent.size()) > request_.horizon.newer_versions + 1) {
    entry->recent.pop_front();
  }
}

absl::StatusOr<CommitResult> SqliteState::Write(const CommitRequest& request, int64_t now_us) {
  pending_.clear();
  if (absl::Status s = ownership_.CheckEpoch(connection_); !s.ok()) return s;
  if (absl::Status s = Failpoint("apply.fence"); !s.ok()) return s;
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
    absl::Status status = DropOldest(connection_, request_.connection, commit.entry,
                                     request_.retention, request_.horizon, &entry.kept);
    if (!status.ok()) return status;
    result.versions.push_back(*std::move(version));
  }
  if (absl::Status s = Failpoint("apply.horizon"); !s.ok()) return s;
  if (request.last_synced_us > ownership_.last_synced_us()) {
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
  version.epoch = ownership_.epoch();
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
  absl::Status status = MoveHead(connection_, version,
                                 {.schema = entry->schema,
                                  .table = entry->table,
                                  .expected_version = commit.expected_version,
                                  .expected_chain = version.prev_chain});
  if (!status.ok()) return status;
  if (absl::Status s = Failpoint("apply.state_swap"); !s.ok()) return s;
  absl::StatusOr<int64_t> grown = InsertVersion(connection_, version);
  if (!grown.ok()) return grown.status();
  entry->kept.bytes += *grown;
  if (entry->kept.versions++ == 0) entry->kept.oldest = version.version;
  Remember(version, entry);
  std::string body = std::exchange(version.body, std::string());
  entry->head = version;
  entry->head.body = std::move(body);
  return version;  // without its body
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
  states.reserve(entries_.size());
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
