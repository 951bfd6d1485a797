// DestinationReader over a SQLite file: a read-only connection beside whoever writes.
#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "core/text.h"
#include "destination/sqlite_bookkeeping.h"
#include "destination/sqlite_catalog.h"
#include "destination/sqlite_destination.h"
#include "destination/sqlite_dialect.h"
#include "destination/sqlite_stored_rows.h"
#include "destination/sqlite_sync_log.h"
#include "state/sqlite_file.h"
#include "state/sqlite_history.h"

namespace tidemark {
namespace {

constexpr char kSyncColumns[] =
    "SELECT sync_id, connection, source, destination, started_at, completed_at, status, reason, "
    "report FROM _tidemark_syncs ";
constexpr char kDeadLetterColumns[] =
    "SELECT id, connection, sync_id, table_name, key, change, reason, code, context, first_seen, "
    "last_seen, attempts, status FROM _tidemark_dead_letters ";

StoredDeadLetter ReadDeadLetter(const SqliteStatement& row) {
  StoredDeadLetter stored;
  stored.id = row.Int(0);
  stored.connection = row.String(1);
  stored.sync_id = row.String(2);
  stored.letter.table = row.String(3);
  stored.letter.key_json = row.String(4);
  stored.letter.change_json = row.String(5);
  stored.letter.reason = row.String(6);
  stored.letter.code = static_cast<absl::StatusCode>(row.Int(7));
  stored.letter.context_json = row.String(8);
  stored.first_seen_us = row.Int(9);
  stored.last_seen_us = row.Int(10);
  stored.attempts = row.Int(11);
  stored.status = row.String(12);
  return stored;
}

SyncRecord ReadSync(const SqliteStatement& row) {
  SyncRecord record;
  record.sync_id = row.String(0);
  record.connection = row.String(1);
  record.source = row.String(2);
  record.destination = row.String(3);
  record.started_at_us = row.Int(4);
  record.completed_at_us = row.IsNull(5) ? kNoTime : row.Int(5);
  record.status = row.String(6);
  record.reason = row.String(7);
  record.report_json = row.String(8);
  return record;
}

std::optional<std::string> CellText(const SqliteStatement& row, int column) {
  switch (sqlite3_column_type(row.get(), column)) {
    case SQLITE_NULL:
      return std::nullopt;
    case SQLITE_FLOAT:
      return DoubleText(sqlite3_column_double(row.get(), column));
    case SQLITE_BLOB:
      return absl::StrCat("0x", Hex(row.Bytes(column)));
    default:
      return row.String(column);
  }
}

class SqliteReader final : public DestinationReader {
 public:
  explicit SqliteReader(std::unique_ptr<SqliteConnection> connection)
      : connection_(std::move(connection)) {}

  absl::StatusOr<std::vector<std::string>> Connections() override;
  absl::StatusOr<std::vector<SyncRecord>> Syncs(const std::string& connection,
                                                int64_t limit) override;
  absl::StatusOr<SyncRecord> Sync(const std::string& sync_id) override;
  absl::StatusOr<std::vector<StateVersion>> StateLog(const std::string& connection,
                                                     const std::optional<std::string>& entry,
                                                     bool bodies, int64_t limit) override;
  absl::Status VerifyState(const std::string& connection) override;
  absl::StatusOr<std::vector<StoredTable>> Tables(const std::string& connection) override;
  absl::StatusOr<RowPage> Rows(const std::string& table, int64_t limit) override;
  absl::StatusOr<std::unique_ptr<StoredRows>> OpenRows(const TargetTable& table,
                                                       const std::vector<size_t>& key) override {
    return OpenSqliteStoredRows(*connection_, table, key);
  }
  absl::StatusOr<std::vector<StoredDeadLetter>> DeadLetters(const std::string& connection,
                                                            int64_t limit) override;
  absl::StatusOr<StoredDeadLetter> DeadLetterById(int64_t id) override;
  absl::Status MarkDeadLetter(int64_t id, const std::string& status) override;
  absl::Status EditDeadLetter(int64_t id, const std::string& key_json,
                              const std::string& change_json) override;

 private:
  absl::Status ReadTables(SyncRecord* record);
  // One view of the file for several statements.
  absl::Status BeginRead() { return connection_->Execute("BEGIN"); }
  void EndRead() { connection_->Execute("COMMIT").IgnoreError(); }

  std::unique_ptr<SqliteConnection> connection_;
};

absl::StatusOr<std::vector<std::string>> SqliteReader::Connections() {
  absl::StatusOr<SqliteStatement*> rows =
      connection_->Query("SELECT connection FROM _tidemark_connections ORDER BY connection");
  if (!rows.ok()) return rows.status();
  std::vector<std::string> names;
  while (true) {
    absl::StatusOr<bool> row = connection_->Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return names;
    names.push_back((*rows)->String(0));
  }
}

absl::StatusOr<std::vector<SyncRecord>> SqliteReader::Syncs(const std::string& connection,
                                                            int64_t limit) {
  absl::StatusOr<SqliteStatement*> rows =
      connection_->Query(absl::StrCat(kSyncColumns,
                                      "WHERE ?1 = '' OR connection = ?1 "
                                      "ORDER BY started_at DESC, rowid DESC LIMIT ?2"),
                         connection, limit);
  if (!rows.ok()) return rows.status();
  std::vector<SyncRecord> records;
  while (true) {
    absl::StatusOr<bool> row = connection_->Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) break;
    records.push_back(ReadSync(**rows));
  }
  for (SyncRecord& record : records) {
    if (absl::Status s = ReadTables(&record); !s.ok()) return s;
  }
  return records;
}

absl::StatusOr<SyncRecord> SqliteReader::Sync(const std::string& sync_id) {
  absl::StatusOr<SqliteStatement*> rows =
      connection_->Query(absl::StrCat(kSyncColumns, "WHERE sync_id = ?"), sync_id);
  if (!rows.ok()) return rows.status();
  absl::StatusOr<bool> row = connection_->Next(**rows);
  if (!row.ok()) return row.status();
  if (!*row) {
    return absl::NotFoundError(absl::StrCat("no sync \"", sync_id, "\" in ", connection_->path()));
  }
  SyncRecord record = ReadSync(**rows);
  (*rows)->Reset();
  if (absl::Status s = ReadTables(&record); !s.ok()) return s;
  return record;
}

absl::Status SqliteReader::ReadTables(SyncRecord* record) {
  absl::StatusOr<SqliteStatement*> rows = connection_->Query(
      "SELECT table_name, status, is_full_sync, last_sync_timestamp, inserted, updated, deleted, "
      "unchanged, superseded, missing, conflict, late_queue, dead_letter, deleted_by_truncate, "
      "duplicates_collapsed FROM _tidemark_sync_tables WHERE sync_id = ? ORDER BY id",
      record->sync_id);
  if (!rows.ok()) return rows.status();
  while (true) {
    absl::StatusOr<bool> row = connection_->Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    TableRecord table;
    table.table = (*rows)->String(0);
    table.status = (*rows)->String(1);
    table.full = (*rows)->Int(2) != 0;
    table.last_sync_timestamp = (*rows)->String(3);
    int column = 4;
    ChangeCounts& counts = table.counts;
    for (uint64_t* count :
         {&counts.inserted, &counts.updated, &counts.deleted, &counts.unchanged, &counts.superseded,
          &counts.missing, &counts.conflict, &counts.late_queue, &counts.dead_letter,
          &counts.deleted_by_truncate, &counts.duplicates_collapsed}) {
      *count = static_cast<uint64_t>((*rows)->Int(column++));
    }
    record->tables.push_back(std::move(table));
  }
}

absl::StatusOr<std::vector<StateVersion>> SqliteReader::StateLog(
    const std::string& connection, const std::optional<std::string>& entry, bool bodies,
    int64_t limit) {
  if (absl::Status s = BeginRead(); !s.ok()) return s;
  std::vector<StateVersion> versions;
  std::vector<std::string> entries;
  absl::Status status;
  if (entry.has_value()) {
    entries.push_back(*entry);
  } else {
    absl::StatusOr<SqliteStatement*> rows = connection_->Query(
        "SELECT entry FROM _tidemark_state WHERE connection = ? ORDER BY entry", connection);
    status = rows.status();
    while (status.ok()) {
      absl::StatusOr<bool> row = connection_->Next(**rows);
      status = row.status();
      if (!row.ok() || !*row) break;
      entries.push_back((*rows)->String(0));
    }
  }
  for (const std::string& name : entries) {
    if (!status.ok()) break;
    VersionQuery query;
    query.entry = name;
    query.limit = limit;
    query.newest_first = true;
    query.bodies = bodies;
    status = ReadVersions(*connection_, connection, query, [&versions](StoredVersion& stored) {
      versions.push_back(std::move(stored.version));
      return stored.readable;
    });
  }
  EndRead();
  if (!status.ok()) return status;
  std::stable_sort(versions.begin(), versions.end(),
                   [](const StateVersion& a, const StateVersion& b) {
                     return a.created_at_us > b.created_at_us;
                   });
  if (limit >= 0 && static_cast<int64_t>(versions.size()) > limit) {
    versions.resize(static_cast<size_t>(limit));
  }
  return versions;
}

absl::Status SqliteReader::VerifyState(const std::string& connection) {
  if (absl::Status s = BeginRead(); !s.ok()) return s;
  absl::Status status = VerifyStoredState(*connection_, connection);
  EndRead();
  return status;
}

absl::StatusOr<std::vector<StoredTable>> SqliteReader::Tables(const std::string& connection) {
  if (absl::Status s = BeginRead(); !s.ok()) return s;
  SqliteCatalog catalog(*connection_);
  absl::Status status = catalog.Load();
  EndRead();
  if (!status.ok()) return status;
  return catalog.TablesOf(connection);
}

absl::StatusOr<RowPage> SqliteReader::Rows(const std::string& table, int64_t limit) {
  absl::StatusOr<SqliteStatement> rows =
      connection_->Prepare(absl::StrCat("SELECT * FROM ", QuoteIdentifier(table), " LIMIT ?"));
  if (!rows.ok()) {
    return absl::NotFoundError(absl::StrCat("no table \"", table, "\" in ", connection_->path(),
                                            " (", rows.status().message(), ")"));
  }
  rows->Bind(1, limit);
  RowPage page;
  const int columns = sqlite3_column_count(rows->get());
  for (int i = 0; i < columns; ++i) {
    page.columns.emplace_back(sqlite3_column_name(rows->get(), i));
  }
  while (true) {
    absl::StatusOr<bool> row = connection_->Next(*rows);
    if (!row.ok()) return row.status();
    if (!*row) return page;
    page.rows.emplace_back();
    for (int i = 0; i < columns; ++i) page.rows.back().push_back(CellText(*rows, i));
  }
}

absl::StatusOr<std::vector<StoredDeadLetter>> SqliteReader::DeadLetters(
    const std::string& connection, int64_t limit) {
  absl::StatusOr<SqliteStatement*> rows =
      connection_->Query(absl::StrCat(kDeadLetterColumns,
                                      "WHERE ?1 = '' OR connection = ?1 ORDER BY id DESC LIMIT ?2"),
                         connection, limit);
  if (!rows.ok()) return rows.status();
  std::vector<StoredDeadLetter> letters;
  while (true) {
    absl::StatusOr<bool> row = connection_->Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return letters;
    letters.push_back(ReadDeadLetter(**rows));
  }
}

absl::StatusOr<StoredDeadLetter> SqliteReader::DeadLetterById(int64_t id) {
  absl::StatusOr<SqliteStatement*> rows =
      connection_->Query(absl::StrCat(kDeadLetterColumns, "WHERE id = ?"), id);
  if (!rows.ok()) return rows.status();
  absl::StatusOr<bool> row = connection_->Next(**rows);
  if (!row.ok()) return row.status();
  if (!*row) {
    return absl::NotFoundError(absl::StrCat("no dead letter ", id, " in ", connection_->path()));
  }
  StoredDeadLetter letter = ReadDeadLetter(**rows);
  (*rows)->Reset();
  return letter;
}

absl::Status SqliteReader::MarkDeadLetter(int64_t id, const std::string& status) {
  if (absl::Status s = DeadLetterById(id).status(); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<SqliteConnection>> writer = OpenForWriting(connection_->path());
  if (!writer.ok()) return writer.status();
  return (*writer)->Run("UPDATE _tidemark_dead_letters SET status = ? WHERE id = ?", status, id);
}

absl::Status SqliteReader::EditDeadLetter(int64_t id, const std::string& key_json,
                                          const std::string& change_json) {
  absl::StatusOr<StoredDeadLetter> stored = DeadLetterById(id);
  if (!stored.ok()) return stored.status();
  stored->letter.key_json = key_json;
  stored->letter.change_json = change_json;
  const std::string fingerprint = DeadLetterFingerprint(stored->connection, stored->letter);
  absl::StatusOr<std::unique_ptr<SqliteConnection>> writer = OpenForWriting(connection_->path());
  if (!writer.ok()) return writer.status();
  absl::Status status = (*writer)->Run(
      "UPDATE OR IGNORE _tidemark_dead_letters SET key = ?, change = ?, fingerprint = ?, "
      "status = 'new' WHERE id = ?",
      key_json, change_json, SqliteBlob{fingerprint}, id);
  if (!status.ok()) return status;
  if (sqlite3_changes((*writer)->db()) == 1) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(
      "another dead letter of connection \"", stored->connection,
      "\" holds this very change; `tidemark dead-letters discard ", id, "` lets this one go"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DestinationReader>> OpenSqliteReader(const std::string& path) {
  absl::StatusOr<std::unique_ptr<SqliteConnection>> connection = OpenForReading(path);
  if (!connection.ok()) return connection.status();
  absl::StatusOr<int64_t> version = ReadBookkeepingVersion(**connection);
  if (!version.ok()) return version.status();
  if (*version == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " holds nothing of Tidemark's: no connection has written it yet"));
  }
  return std::make_unique<SqliteReader>(*std::move(connection));
}

}  // namespace tidemark
