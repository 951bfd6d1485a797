#include "state/postgres_versions.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "state/lease_holder.h"
#include "state/version_reading.h"

namespace tidemark {
namespace {

StoredVersion ReadRow(const PostgresRows& rows, int row, bool body) {
  StoredVersion stored;
  StateVersion& version = stored.version;
  version.version = rows.Int(row, 0);
  version.parent = rows.Int(row, 1);
  version.epoch = rows.Int(row, 2);
  if (const std::optional<StateKind> kind = ParseStateKind(rows.Bytes(row, 3)); kind.has_value()) {
    version.kind = *kind;
  } else {
    stored.readable = absl::DataLossError(absl::StrCat(
        "state version ", version.version, " is of the unknown kind \"", rows.Bytes(row, 3), "\""));
  }
  const int64_t format = rows.Int(row, 4);
  if (format < 0 || format > std::numeric_limits<uint32_t>::max()) {
    stored.readable = absl::DataLossError(
        absl::StrCat("state version ", version.version, " has the impossible format ", format));
  }
  version.format = static_cast<uint32_t>(format);
  version.body_hash = rows.String(row, 5);
  version.prev_chain = rows.String(row, 6);
  version.chain = rows.String(row, 7);
  version.sync_id = rows.String(row, 8);
  version.group_id = rows.String(row, 9);
  ChangeCounts& counts = version.counts;
  int column = 10;
  for (uint64_t* count :
       {&counts.inserted, &counts.updated, &counts.deleted, &counts.unchanged, &counts.superseded,
        &counts.missing, &counts.conflict, &counts.late_queue, &counts.dead_letter,
        &counts.deleted_by_truncate, &counts.duplicates_collapsed}) {
    *count = static_cast<uint64_t>(rows.Int(row, column++));
  }
  version.cursor = rows.String(row, 21);
  version.watermark_us = rows.IsNull(row, 22) ? kNoTime : rows.Int(row, 22);
  version.created_at_us = rows.Int(row, 23);
  version.engine = rows.String(row, 24);
  if (!rows.IsNull(row, kVersionSizeColumn)) stored.body_bytes = rows.Int(row, kVersionSizeColumn);
  if (body) version.body = rows.String(row, kVersionBodyColumn);
  return stored;
}

}  // namespace

std::string PostgresVersions::Sql(absl::string_view text) const {
  return absl::StrReplaceAll(text, {{"$S", schema_}});
}

absl::StatusOr<std::vector<StateHead>> PostgresVersions::Heads() {
  absl::StatusOr<PostgresRows> rows = session_.Run(
      Sql("SELECT entry COLLATE \"C\", source_schema, source_table, version, chain, anchor "
          "FROM $S._tidemark_state WHERE connection = $1 UNION ALL "
          "SELECT DISTINCT h.entry COLLATE \"C\", '', '', 0::bigint, ''::bytea, ''::bytea "
          "FROM $S._tidemark_state_history h WHERE h.connection = $1 AND NOT EXISTS "
          "(SELECT 1 FROM $S._tidemark_state s WHERE s.connection = $1 AND s.entry = h.entry) "
          "ORDER BY 1"),
      PostgresParameters().Text(connection_));
  if (!rows.ok()) return rows.status();
  std::vector<StateHead> heads;
  heads.reserve(static_cast<size_t>(rows->count()));
  for (int i = 0; i < rows->count(); ++i) {
    heads.push_back({rows->String(i, 0), rows->String(i, 1), rows->String(i, 2), rows->Int(i, 3),
                     rows->String(i, 4), rows->String(i, 5)});
  }
  return heads;
}

absl::Status PostgresVersions::Read(const VersionQuery& query,
                                    const std::function<absl::Status(StoredVersion&)>& each) {
  const std::string sql = Sql(absl::StrCat(
      "SELECT ", kVersionColumns, ", octet_length(b.body)::bigint", query.bodies ? ", b.body" : "",
      " FROM $S._tidemark_state_history h LEFT JOIN $S._tidemark_state_bodies b "
      "USING(connection, entry, body_hash) WHERE h.connection = $1 AND h.entry = $2 "
      "AND h.version >= $3 AND h.version <= $4 ORDER BY h.version ",
      query.newest_first ? "DESC" : "ASC", " LIMIT $5"));
  int64_t first = query.first;
  int64_t last = std::numeric_limits<int64_t>::max();
  int64_t left = query.limit < 0 ? std::numeric_limits<int64_t>::max() : query.limit;
  while (left > 0) {
    const int64_t page = std::min(left, query.bodies ? kVersionPage : kVersionPageWithoutBodies);
    absl::StatusOr<PostgresRows> rows = session_.Run(
        sql,
        PostgresParameters().Text(connection_).Text(query.entry).Int(first).Int(last).Int(page));
    if (!rows.ok()) return rows.status();
    for (int i = 0; i < rows->count(); ++i) {
      StoredVersion stored = ReadRow(*rows, i, query.bodies);
      stored.version.connection = connection_;
      stored.version.entry = query.entry;
      if (query.newest_first) last = stored.version.version - 1;
      if (!query.newest_first) first = stored.version.version + 1;
      if (absl::Status s = each(stored); !s.ok()) return s;
    }
    if (rows->count() < page) return absl::OkStatus();
    left -= page;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> PostgresVersions::Holds(const StateVersion& version) {
  absl::StatusOr<PostgresRows> rows = session_.Run(
      Sql("SELECT 1 FROM $S._tidemark_state_history WHERE connection = $1 AND entry = $2 AND "
          "version = $3 AND chain = $4"),
      PostgresParameters()
          .Text(connection_)
          .Text(version.entry)
          .Int(version.version)
          .Bytes(version.chain));
  if (!rows.ok()) return rows.status();
  return rows->count() == 1;
}

absl::Status PostgresVersions::Append(const VersionAppend& append) {
  absl::StatusOr<Size*> size = SizeOf(append.version.entry);
  if (!size.ok()) return size.status();
  if (absl::Status s = MoveHead(append); !s.ok()) return s;
  if (absl::Status s = SetAside(append); !s.ok()) return s;
  if (!append.set_aside.empty()) sizes_.erase(append.version.entry);
  size = SizeOf(append.version.entry);
  if (!size.ok()) return size.status();
  if (absl::Status s = Insert(append.version, *size); !s.ok()) return s;
  return Retain(append.version, *size);
}

absl::Status PostgresVersions::MoveHead(const VersionAppend& append) {
  const StateVersion& version = append.version;
  PostgresParameters values;
  values.Text(connection_).Text(version.entry).Text(append.schema).Text(append.table);
  values.Int(version.version).Bytes(version.chain);
  absl::StatusOr<PostgresRows> moved = absl::UnknownError("");
  // Invariant I3: compare and set; a miss means that somebody else wrote here.
  if (append.expected_version == 0) {
    values.Bytes(append.anchor.has_value() ? absl::string_view(*append.anchor) : "");
    moved = session_.Run(Sql("INSERT INTO $S._tidemark_state(connection, entry, source_schema, "
                             "source_table, version, chain, anchor) "
                             "VALUES($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"),
                         values);
  } else {
    values.Int(append.expected_version).Bytes(append.expected_chain);
    if (append.anchor.has_value()) values.Bytes(*append.anchor);
    moved = session_.Run(
        Sql(absl::StrCat("UPDATE $S._tidemark_state SET source_schema = $3, source_table = $4, "
                         "version = $5, chain = $6",
                         append.anchor.has_value() ? ", anchor = $9" : "",
                         " WHERE connection = $1 AND entry = $2 AND version = $7 AND chain = $8")),
        values);
  }
  if (!moved.ok()) return moved.status();
  if (moved->touched() == 1) return absl::OkStatus();
  return Diverged(connection_, session_.Describe(), version.entry, append.expected_version);
}

absl::Status PostgresVersions::SetAside(const VersionAppend& append) {
  constexpr char kDamagedColumns[] =
      "connection, entry, version, parent, epoch, kind, format, body_hash, prev_chain, chain, "
      "sync_id, group_id, inserted, updated, deleted, unchanged, superseded, missing, conflict, "
      "late_queue, dead_letter, deleted_by_truncate, duplicates_collapsed, cursor_max, watermark, "
      "created_at, engine";
  for (const int64_t damaged : append.set_aside) {
    absl::StatusOr<PostgresRows> moved = session_.Run(
        Sql(absl::StrCat("INSERT INTO $S._tidemark_state_damaged(", kDamagedColumns,
                         ", body, repaired_by) SELECT h.*, b.body, $4 "
                         "FROM $S._tidemark_state_history h LEFT JOIN $S._tidemark_state_bodies b "
                         "USING(connection, entry, body_hash) "
                         "WHERE h.connection = $1 AND h.entry = $2 AND h.version = $3")),
        PostgresParameters()
            .Text(connection_)
            .Text(append.version.entry)
            .Int(damaged)
            .Int(append.version.version));
    if (!moved.ok()) return moved.status();
    absl::StatusOr<PostgresRows> gone = session_.Run(
        Sql("DELETE FROM $S._tidemark_state_history WHERE connection = $1 AND entry = $2 AND "
            "version = $3 RETURNING body_hash"),
        PostgresParameters().Text(connection_).Text(append.version.entry).Int(damaged));
    if (!gone.ok()) return gone.status();
    if (gone->count() == 0) continue;
    Size ignored;
    absl::Status body = DropBody(append.version.entry, gone->Bytes(0, 0), &ignored);
    if (!body.ok()) return body;
  }
  return absl::OkStatus();
}

absl::Status PostgresVersions::Insert(const StateVersion& version, Size* size) {
  absl::StatusOr<PostgresRows> body = session_.Run(
      Sql("INSERT INTO $S._tidemark_state_bodies(connection, entry, body_hash, body) "
          "VALUES($1, $2, $3, $4) ON CONFLICT(connection, entry, body_hash) DO UPDATE "
          // Bytes that no longer fit their hash are made right again.
          "SET body = excluded.body WHERE _tidemark_state_bodies.body <> excluded.body "
          "RETURNING xmax = 0"),
      PostgresParameters()
          .Text(connection_)
          .Text(version.entry)
          .Bytes(version.body_hash)
          .Bytes(version.body));
  if (!body.ok()) return body.status();
  if (body->count() == 1 && body->Int(0, 0) != 0)
    size->bytes += static_cast<int64_t>(version.body.size());
  if (size->oldest == 0) size->oldest = version.version;
  const ChangeCounts& counts = version.counts;
  PostgresParameters values;
  values.Text(connection_).Text(version.entry).Int(version.version).Int(version.parent);
  values.Int(version.epoch).Text(StateKindName(version.kind)).Int(version.format);
  values.Bytes(version.body_hash).Bytes(version.prev_chain).Bytes(version.chain);
  values.Text(version.sync_id).Text(version.group_id);
  for (const uint64_t count :
       {counts.inserted, counts.updated, counts.deleted, counts.unchanged, counts.superseded,
        counts.missing, counts.conflict, counts.late_queue, counts.dead_letter,
        counts.deleted_by_truncate, counts.duplicates_collapsed}) {
    values.Int(static_cast<int64_t>(count));
  }
  values.Text(version.cursor);
  if (version.watermark_us == kNoTime) values.NullInt();
  if (version.watermark_us != kNoTime) values.Int(version.watermark_us);
  values.Int(version.created_at_us).Text(version.engine);
  return session_
      .Run(Sql("INSERT INTO $S._tidemark_state_history VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, "
               "$10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, "
               "$26, $27)"),
           values)
      .status();
}

absl::StatusOr<PostgresVersions::Size*> PostgresVersions::SizeOf(const std::string& entry) {
  const auto known = sizes_.find(entry);
  if (known != sizes_.end()) return &known->second;
  absl::StatusOr<PostgresRows> rows = session_.Run(
      Sql("SELECT (SELECT min(version) FROM $S._tidemark_state_history WHERE connection = $1 AND "
          "entry = $2), (SELECT sum(octet_length(body))::bigint FROM $S._tidemark_state_bodies "
          "WHERE connection = $1 AND entry = $2)"),
      PostgresParameters().Text(connection_).Text(entry));
  if (!rows.ok()) return rows.status();
  Size& size = sizes_[entry];
  size.oldest = rows->Int(0, 0);
  size.bytes = rows->Int(0, 1);
  return &size;
}

absl::Status PostgresVersions::Retain(const StateVersion& newest, Size* size) {
  // What the rollback horizon may still need stays, however large.
  const int64_t keep_from = newest.version - horizon_.newer_versions;
  while (size->oldest < keep_from &&
         (newest.version - size->oldest >= retention_.versions || size->bytes > retention_.bytes)) {
    if (absl::Status s = DropOldest(newest.entry, size); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status PostgresVersions::DropOldest(const std::string& entry, Size* size) {
  absl::StatusOr<PostgresRows> dropped = session_.Run(
      Sql("DELETE FROM $S._tidemark_state_history WHERE connection = $1 AND entry = $2 AND "
          "version = (SELECT min(version) FROM $S._tidemark_state_history WHERE connection = $1 "
          "AND entry = $2) RETURNING chain, body_hash"),
      PostgresParameters().Text(connection_).Text(entry));
  if (!dropped.ok()) return dropped.status();
  if (dropped->count() == 0) {
    return absl::DataLossError(
        absl::StrCat("the history of entry \"", entry, "\" is gone from ", session_.Describe()));
  }
  absl::StatusOr<PostgresRows> anchored = session_.Run(
      Sql("UPDATE $S._tidemark_state SET anchor = $3 WHERE connection = $1 AND entry = $2"),
      PostgresParameters().Text(connection_).Text(entry).Bytes(dropped->Bytes(0, 0)));
  if (!anchored.ok()) return anchored.status();
  if (absl::Status s = DropBody(entry, dropped->Bytes(0, 1), size); !s.ok()) return s;
  absl::StatusOr<PostgresRows> oldest = session_.Run(
      Sql("SELECT min(version) FROM $S._tidemark_state_history WHERE connection = $1 AND "
          "entry = $2"),
      PostgresParameters().Text(connection_).Text(entry));
  if (!oldest.ok()) return oldest.status();
  size->oldest = oldest->Int(0, 0);
  return absl::OkStatus();
}

absl::Status PostgresVersions::DropBody(const std::string& entry, absl::string_view body_hash,
                                        Size* size) {
  absl::StatusOr<PostgresRows> dropped = session_.Run(
      Sql("DELETE FROM $S._tidemark_state_bodies WHERE connection = $1 AND entry = $2 AND "
          "body_hash = $3 AND NOT EXISTS (SELECT 1 FROM $S._tidemark_state_history WHERE "
          "connection = $1 AND entry = $2 AND body_hash = $3) RETURNING "
          "octet_length(body)::bigint"),
      PostgresParameters().Text(connection_).Text(entry).Bytes(body_hash));
  if (!dropped.ok()) return dropped.status();
  if (dropped->count() == 1) size->bytes -= dropped->Int(0, 0);
  return absl::OkStatus();
}

}  // namespace tidemark
