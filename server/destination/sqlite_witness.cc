#include "destination/sqlite_witness.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "destination/destination.h"
#include "destination/sqlite_dialect.h"
#include "state/sqlite_connection.h"
#include "state/sqlite_file.h"

namespace tidemark {
namespace {

absl::Status EachRow(SqliteConnection& connection, absl::string_view sql,
                     absl::string_view argument,
                     const std::function<void(const SqliteStatement&)>& each) {
  absl::StatusOr<SqliteStatement*> rows = connection.Query(sql, argument);
  if (!rows.ok()) return rows.status();
  while (true) {
    absl::StatusOr<bool> row = connection.Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    each(**rows);
  }
}

absl::StatusOr<bool> Exists(SqliteConnection& connection, absl::string_view table) {
  bool found = false;
  absl::Status status = EachRow(
      connection, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?)",
      table, [&found](const SqliteStatement&) { found = true; });
  if (!status.ok()) return status;
  return found;
}

// A column as it stands in the file.
struct ActualColumn {
  int64_t key_position = 0;  // 0: not of the key
};

class Witness {
 public:
  Witness(SqliteConnection& connection, std::string owner)
      : connection_(connection), owner_(std::move(owner)) {}

  absl::StatusOr<SqliteWitness> Read() {
    if (absl::Status s = ReadSyncs(); !s.ok()) return s;
    if (absl::Status s = ReadTables(); !s.ok()) return s;
    return std::move(witness_);
  }

 private:
  absl::Status ReadSyncs() {
    absl::StatusOr<bool> exists = Exists(connection_, "_tidemark_syncs");
    if (!exists.ok() || !*exists) return exists.status();
    absl::Status status = EachRow(
        connection_,
        absl::StrCat("SELECT sync_id FROM _tidemark_syncs WHERE connection = ? ORDER BY "
                     "started_at DESC LIMIT ",
                     kWitnessedSyncs),
        owner_, [this](const SqliteStatement& row) { witness_.syncs.push_back(row.String(0)); });
    if (!status.ok()) return status;
    return EachRow(connection_,
                   "SELECT sync_id, report FROM _tidemark_syncs WHERE connection = ? AND "
                   "report LIKE '%\"entries\"%' ORDER BY started_at DESC, rowid DESC LIMIT 1",
                   owner_, [this](const SqliteStatement& row) {
                     witness_.sync_id = row.String(0);
                     witness_.report_json = row.String(1);
                   });
  }

  absl::Status ReadTables() {
    absl::StatusOr<bool> exists = Exists(connection_, "_tidemark_tables");
    if (!exists.ok() || !*exists) return exists.status();
    std::vector<AlteredTable> tables;
    absl::Status status =
        EachRow(connection_,
                "SELECT table_name, source_name FROM _tidemark_tables WHERE connection = ? "
                "ORDER BY table_name",
                owner_, [&tables](const SqliteStatement& row) {
                  AlteredTable& table = tables.emplace_back();
                  table.table = row.String(0);
                  table.source_name = row.String(1);
                });
    if (!status.ok()) return status;
    exists = Exists(connection_, "_tidemark_columns");
    if (!exists.ok()) return exists.status();
    for (AlteredTable& table : tables) {
      witness_.synced = true;
      witness_.source_names.push_back(table.source_name);
      status = *exists ? Compare(&table) : absl::OkStatus();
      if (!status.ok()) return status;
      if (table.gone || table.key_altered || !table.missing.empty()) {
        witness_.altered.push_back(std::move(table));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Compare(AlteredTable* table) {
    std::map<std::string, ActualColumn> actual;
    absl::Status status = EachRow(connection_, "SELECT name, pk FROM pragma_table_info(?)",
                                  table->table, [&actual](const SqliteStatement& row) {
                                    actual[absl::AsciiStrToLower(row.Text(0))].key_position =
                                        row.Int(1);
                                  });
    if (!status.ok()) return status;
    table->gone = actual.empty();
    if (table->gone) return absl::OkStatus();
    size_t keys = 0;
    status = EachRow(connection_,
                     "SELECT column_name, is_key, storage FROM _tidemark_columns WHERE "
                     "table_name = ? ORDER BY position",
                     table->table, [&](const SqliteStatement& row) {
                       const auto found = actual.find(absl::AsciiStrToLower(row.Text(0)));
                       const bool key = row.Int(1) != 0;
                       keys += key ? 1 : 0;
                       if (found != actual.end()) {
                         table->key_altered =
                             table->key_altered || key != (found->second.key_position > 0);
                       } else if (key) {
                         table->key_altered = true;
                       } else if (!row.IsNull(2)) {
                         table->missing.push_back(row.String(0));
                       }
                     });
    if (!status.ok()) return status;
    const auto in_key = std::count_if(actual.begin(), actual.end(), [](const auto& column) {
      return column.second.key_position > 0;
    });
    table->key_altered = table->key_altered || static_cast<size_t>(in_key) != keys;
    if (actual.count(kSyncedColumn) == 0) table->key_altered = true;
    return absl::OkStatus();
  }

  SqliteConnection& connection_;
  const std::string owner_;
  SqliteWitness witness_;
};

}  // namespace

absl::StatusOr<SqliteWitness> ReadWitness(const std::string& path, const std::string& connection) {
  absl::StatusOr<std::unique_ptr<SqliteConnection>> file = OpenForReading(path);
  if (!file.ok()) return file.status();
  if (absl::Status s = (*file)->Execute("BEGIN"); !s.ok()) return s;
  absl::StatusOr<SqliteWitness> witness = Witness(**file, connection).Read();
  (*file)->Execute("COMMIT").IgnoreError();
  return witness;
}

absl::Status RestoreColumns(const std::string& path, const std::vector<AlteredTable>& altered) {
  absl::StatusOr<std::unique_ptr<SqliteConnection>> file = OpenForWriting(path);
  if (!file.ok()) return file.status();
  SqliteConnection& connection = **file;
  absl::Status status = connection.Execute("BEGIN IMMEDIATE");
  for (const AlteredTable& table : altered) {
    for (const std::string& column : table.missing) {
      std::optional<std::string> storage;
      if (status.ok()) {
        status =
            EachRow(connection,
                    absl::StrCat("SELECT storage FROM _tidemark_columns WHERE table_name = ",
                                 QuoteText(table.table), " AND column_name = ?"),
                    column, [&storage](const SqliteStatement& row) { storage = row.String(0); });
      }
      if (status.ok() && storage.has_value()) {
        status = connection.Execute(absl::StrCat("ALTER TABLE ", QuoteIdentifier(table.table),
                                                 " ADD COLUMN ", QuoteIdentifier(column), " ",
                                                 *storage));
      }
    }
  }
  if (status.ok()) status = connection.Execute("COMMIT");
  if (!status.ok() && !connection.autocommit()) connection.Execute("ROLLBACK").IgnoreError();
  return status;
}

}  // namespace tidemark
