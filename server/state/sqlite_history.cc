// Reading _tidemark_state_history, and L0 of semantics.md section 7 over it.
#include <utility>

#include "absl/strings/str_cat.h"
#include "state/chain_verifier.h"
#include "state/sqlite_state.h"

namespace tidemark {
namespace {

constexpr char kColumns[] =
    "h.version, h.parent, h.epoch, h.kind, h.format, h.body_hash, h.prev_chain, h.chain, "
    "h.sync_id, h.group_id, h.inserted, h.updated, h.deleted, h.unchanged, h.superseded, "
    "h.missing, h.conflict, h.late_queue, h.dead_letter, h.deleted_by_truncate, "
    "h.duplicates_collapsed, h.cursor_max, h.watermark, h.created_at, h.engine";
constexpr int kBodyColumn = 25;

absl::StatusOr<StateVersion> ReadVersion(const SqliteStatement& row) {
  StateVersion version;
  version.version = row.Int(0);
  version.parent = row.Int(1);
  version.epoch = row.Int(2);
  const std::optional<StateKind> kind = ParseStateKind(row.Text(3));
  if (!kind.has_value()) {
    return absl::DataLossError(absl::StrCat("state version ", version.version,
                                            " is of the unknown kind \"", row.Text(3), "\""));
  }
  version.kind = *kind;
  version.format = static_cast<uint32_t>(row.Int(4));
  version.body_hash = std::string(row.Bytes(5));
  version.prev_chain = std::string(row.Bytes(6));
  version.chain = std::string(row.Bytes(7));
  version.sync_id = row.String(8);
  version.group_id = row.String(9);
  ChangeCounts& counts = version.counts;
  int column = 10;
  for (uint64_t* count :
       {&counts.inserted, &counts.updated, &counts.deleted, &counts.unchanged, &counts.superseded,
        &counts.missing, &counts.conflict, &counts.late_queue, &counts.dead_letter,
        &counts.deleted_by_truncate, &counts.duplicates_collapsed}) {
    *count = static_cast<uint64_t>(row.Int(column++));
  }
  version.cursor = row.String(21);
  version.watermark_us = row.IsNull(22) ? kNoTime : row.Int(22);
  version.created_at_us = row.Int(23);
  version.engine = row.String(24);
  return version;
}

struct Head {
  std::string entry;
  int64_t version = 0;
  std::string chain;
  std::string anchor;
};

absl::Status VerifyEntry(SqliteConnection& connection, const std::string& owner, const Head& head) {
  ChainVerifier verifier(head.anchor);
  absl::Status status =
      ReadHistory(connection, owner, head.entry, true, true, -1,
                  [&verifier](StateVersion& version) { return verifier.Add(version); });
  if (!status.ok()) return status;
  if (verifier.last_version() != head.version || verifier.last_chain() != head.chain) {
    return absl::DataLossError(absl::StrCat(
        "state of connection \"", owner, "\", entry \"", head.entry, "\": it stands at version ",
        head.version, " but its history ends at version ", verifier.last_version()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadHistory(SqliteConnection& connection, const std::string& owner,
                         const std::string& entry, bool bodies, bool ascending, int64_t limit,
                         const std::function<absl::Status(StateVersion&)>& each) {
  const std::string sql = absl::StrCat(
      "SELECT ", kColumns, bodies ? ", b.body" : "", " FROM _tidemark_state_history h ",
      bodies ? "LEFT JOIN _tidemark_state_bodies b USING(connection, entry, body_hash) " : "",
      "WHERE h.connection = ? AND h.entry = ? ORDER BY h.version ", ascending ? "ASC" : "DESC",
      " LIMIT ?");
  absl::StatusOr<SqliteStatement*> rows = connection.Query(sql, owner, entry, limit);
  if (!rows.ok()) return rows.status();
  while (true) {
    absl::StatusOr<bool> row = connection.Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    absl::StatusOr<StateVersion> version = ReadVersion(**rows);
    absl::Status status = version.status();
    if (status.ok()) {
      version->connection = owner;
      version->entry = entry;
      if (bodies) version->body = std::string((*rows)->Bytes(kBodyColumn));
      status = each(*version);
    }
    if (!status.ok()) {
      (*rows)->Reset();
      return status;
    }
  }
}

absl::Status VerifyStoredState(SqliteConnection& connection, const std::string& owner) {
  absl::StatusOr<SqliteStatement*> rows = connection.Query(
      "SELECT entry, version, chain, anchor, source_schema, source_table FROM _tidemark_state "
      "WHERE connection = ? ORDER BY entry",
      owner);
  if (!rows.ok()) return rows.status();
  std::vector<Head> heads;
  while (true) {
    absl::StatusOr<bool> row = connection.Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) break;
    StateEntry entry;
    entry.schema = (*rows)->String(4);
    entry.table = (*rows)->String(5);
    heads.push_back({(*rows)->String(0), (*rows)->Int(1), std::string((*rows)->Bytes(2)),
                     std::string((*rows)->Bytes(3))});
    if (EntryName(entry) != heads.back().entry) {
      (*rows)->Reset();
      return absl::DataLossError(absl::StrCat("state of connection \"", owner, "\": entry \"",
                                              heads.back().entry, "\" names table \"",
                                              EntryName(entry), "\""));
    }
  }
  for (const Head& head : heads) {
    if (absl::Status s = VerifyEntry(connection, owner, head); !s.ok()) return s;
  }
  // History without a current entry would be a state that was lost.
  rows = connection.Query(
      "SELECT h.entry FROM _tidemark_state_history h WHERE h.connection = ? AND NOT EXISTS "
      "(SELECT 1 FROM _tidemark_state s WHERE s.connection = h.connection AND s.entry = h.entry) "
      "LIMIT 1",
      owner);
  if (!rows.ok()) return rows.status();
  absl::StatusOr<bool> row = connection.Next(**rows);
  if (!row.ok()) return row.status();
  if (!*row) return absl::OkStatus();
  const std::string entry = (*rows)->String(0);
  (*rows)->Reset();
  return absl::DataLossError(absl::StrCat("state of connection \"", owner, "\": entry \"", entry,
                                          "\" has a history but no current version"));
}

}  // namespace tidemark
