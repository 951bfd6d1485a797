#include "state/sqlite_history.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "state/chain_verifier.h"
#include "state/version_reading.h"

namespace tidemark {
namespace {

// The type of each column, in order: integer, text, hash (blob), or integer that may be NULL.
constexpr char kTypes[] = "iiitihhhttiiiiiiiiiiitnit";
static_assert(sizeof(kTypes) - 1 == kVersionSizeColumn);

bool HasType(const SqliteStatement& row, int column, char type) {
  const int found = sqlite3_column_type(row.get(), column);
  switch (type) {
    case 't':
      return found == SQLITE_TEXT;
    case 'h':
      return found == SQLITE_BLOB;
    case 'n':
      return found == SQLITE_INTEGER || found == SQLITE_NULL;
    default:
      return found == SQLITE_INTEGER;
  }
}

absl::Status Unreadable(const StateVersion& version, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("version ", version.version, " cannot be read: ", what));
}

// The fields are read first: asking for a value may change what the type says.
absl::Status CheckReadable(const SqliteStatement& row, const StateVersion& version, bool kind_known,
                           bool types_right, bool body) {
  if (!types_right) {
    return Unreadable(version, "a column holds a value of another type");
  }
  if (!kind_known) {
    return Unreadable(version, absl::StrCat("it is of the unknown kind \"", row.Text(3), "\""));
  }
  if (row.Int(4) != int64_t{version.format}) {
    return Unreadable(version, absl::StrCat("it has the impossible format ", row.Int(4)));
  }
  if (body && row.IsNull(kVersionSizeColumn)) return Unreadable(version, "its body is gone");
  return absl::OkStatus();
}

void ReadVersion(const SqliteStatement& row, bool body, StoredVersion* stored) {
  bool types_right = true;
  for (int column = 0; column < kVersionSizeColumn; ++column) {
    types_right = types_right && HasType(row, column, kTypes[column]);
  }
  StateVersion& version = stored->version;
  version.version = row.Int(0);
  version.parent = row.Int(1);
  version.epoch = row.Int(2);
  const std::optional<StateKind> kind = ParseStateKind(row.Text(3));
  version.kind = kind.value_or(StateKind::kNormal);
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
  stored->body_bytes = row.IsNull(kVersionSizeColumn) ? -1 : row.Int(kVersionSizeColumn);
  version.body = body ? std::string(row.Bytes(kVersionBodyColumn)) : std::string();
  stored->readable = CheckReadable(row, version, kind.has_value(), types_right, body);
}

absl::Status VerifyEntry(SqliteConnection& connection, const std::string& owner,
                         const StateHead& head) {
  const std::string where =
      absl::StrCat("state of connection \"", owner, "\", entry \"", head.entry, "\": ");
  if (head.version == 0) {
    return absl::DataLossError(absl::StrCat(where, "it has a history but no current version"));
  }
  StateEntry entry;
  entry.schema = head.schema;
  entry.table = head.table;
  if (EntryName(entry) != head.entry) {
    return absl::DataLossError(absl::StrCat(where, "it names table \"", EntryName(entry), "\""));
  }
  ChainVerifier verifier(head.anchor);
  VersionQuery query;
  query.entry = head.entry;
  absl::Status status = ReadVersions(
      connection, owner, query, [&verifier, &where](StoredVersion& stored) -> absl::Status {
        if (stored.readable.ok()) return verifier.Add(stored.version);
        return absl::DataLossError(absl::StrCat(where, stored.readable.message()));
      });
  if (!status.ok()) return status;
  if (verifier.last_version() != head.version || verifier.last_chain() != head.chain) {
    return absl::DataLossError(absl::StrCat(where, "it stands at version ", head.version,
                                            " but its history ends at version ",
                                            verifier.last_version()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadVersions(SqliteConnection& connection, const std::string& owner,
                          const VersionQuery& query,
                          const std::function<absl::Status(StoredVersion&)>& each) {
  const std::string sql = absl::StrCat(
      "SELECT ", kVersionColumns, ", length(b.body)", query.bodies ? ", b.body" : "",
      " FROM _tidemark_state_history h LEFT JOIN _tidemark_state_bodies b "
      "ON b.connection = ?1 AND b.entry = ?2 AND b.body_hash = h.body_hash "
      "WHERE h.connection = ?1 AND h.entry = ?2 AND h.version >= ?3 ORDER BY h.version ",
      query.newest_first ? "DESC" : "ASC", " LIMIT ?4");
  absl::StatusOr<SqliteStatement*> rows =
      connection.Query(sql, owner, query.entry, query.first, query.limit);
  if (!rows.ok()) return rows.status();
  StoredVersion stored;
  while (true) {
    absl::StatusOr<bool> row = connection.Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    stored.version.connection = owner;  // `each` may have moved the last one away
    stored.version.entry = query.entry;
    ReadVersion(**rows, query.bodies, &stored);
    if (absl::Status status = each(stored); !status.ok()) {
      (*rows)->Reset();
      return status;
    }
  }
}

absl::StatusOr<std::vector<StateHead>> ReadHeads(SqliteConnection& connection,
                                                 const std::string& owner) {
  // The second part: history without a head would be a state that was lost.
  absl::StatusOr<SqliteStatement*> rows = connection.Query(
      "SELECT entry, version, chain, anchor, source_schema, source_table FROM _tidemark_state "
      "WHERE connection = ?1 UNION ALL "
      "SELECT DISTINCT h.entry, 0, x'', x'', '', '' FROM _tidemark_state_history h "
      "WHERE h.connection = ?1 AND NOT EXISTS (SELECT 1 FROM _tidemark_state s "
      "WHERE s.connection = ?1 AND s.entry = h.entry) ORDER BY 1",
      owner);
  if (!rows.ok()) return rows.status();
  std::vector<StateHead> heads;
  while (true) {
    absl::StatusOr<bool> row = connection.Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return heads;
    StateHead& head = heads.emplace_back();
    head.entry = (*rows)->String(0);
    head.version = (*rows)->Int(1);
    head.chain = std::string((*rows)->Bytes(2));
    head.anchor = std::string((*rows)->Bytes(3));
    head.schema = (*rows)->String(4);
    head.table = (*rows)->String(5);
  }
}

absl::Status VerifyStoredState(SqliteConnection& connection, const std::string& owner) {
  absl::StatusOr<std::vector<StateHead>> heads = ReadHeads(connection, owner);
  if (!heads.ok()) return heads.status();
  for (const StateHead& head : *heads) {
    if (absl::Status s = VerifyEntry(connection, owner, head); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace tidemark
