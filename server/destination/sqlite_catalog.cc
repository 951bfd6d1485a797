#include "destination/sqlite_catalog.h"

#include <algorithm>
#include <unordered_map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/failpoint.h"
#include "destination/sqlite_dialect.h"
#include "destination/sqlite_rebuild.h"
#include "destination/table_owner.h"

namespace tidemark {
namespace {

std::string TypeText(const ColumnType& type) {
  if (type.type == DataType::kDecimal && type.precision > 0) {
    return absl::StrCat("DECIMAL(", type.precision, ",", type.scale, ")");
  }
  return std::string(DataTypeName(type.type));
}

// The type SQLite declares for a new column.
std::optional<std::string> NewStorage(const ColumnType& type) {
  if (type.type == DataType::kUndeclared) return std::nullopt;
  return type.declared ? std::string(StorageName(type.type)) : std::string();
}

std::string KeyText(const TargetTable& table) {
  std::vector<std::string> names;
  for (const TargetColumn& column : table.columns) {
    if (column.key) names.push_back(column.name);
  }
  return absl::StrCat("(", absl::StrJoin(names, ", "), ")");
}

std::vector<std::string> KeySet(const TargetTable& table) {
  std::vector<std::string> names;
  for (const TargetColumn& column : table.columns) {
    if (column.key) names.push_back(absl::AsciiStrToLower(column.name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<size_t> FindColumn(const TargetTable& table, absl::string_view name) {
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (absl::EqualsIgnoreCase(table.columns[i].name, name)) return i;
  }
  return std::nullopt;
}

absl::Status NotOurs(absl::string_view name, absl::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(
      what, " \"", name,
      "\" exists in the destination and was not made by Tidemark. Choices: "
      "rename or drop it, let the connection write another file, or map the source table to "
      "another name (existing: refuse is the only policy here; adopt and replace are not built)"));
}

// A table that a producer has to itself only ever grows wider by what it pushes.
absl::Status CannotBecome(const StoredTable& table, const TargetColumn& column,
                          const ColumnType& type) {
  const std::string name = absl::StrCat("\"", table.table.name, ".", column.name, "\"");
  if (table.shared) {
    return absl::AbortedError(absl::StrCat("another producer has widened column ", name, " to ",
                                           TypeText(column.type), " meanwhile"));
  }
  return absl::InternalError(absl::StrCat("column ", name, " is ", TypeText(column.type),
                                          " at the destination and cannot become ",
                                          TypeText(type)));
}

}  // namespace

bool SqliteTable::integer_key() const {
  size_t keys = 0;
  bool integer = false;
  for (size_t i = 0; i < stored.table.columns.size(); ++i) {
    if (!stored.table.columns[i].key) continue;
    ++keys;
    integer = storage[i].has_value() && *storage[i] == "INTEGER";
  }
  return keys == 1 && integer;
}

absl::Status SqliteCatalog::Load() {
  tables_.clear();
  std::unordered_map<std::string, std::string> guards;
  if (absl::Status s = LoadTables(&guards); !s.ok()) return s;
  if (absl::Status s = LoadColumns(); !s.ok()) return s;
  for (auto& [key, table] : tables_) {
    auto guard = guards.find(key);
    if (guard != guards.end()) {
      table.stored.table.stale_guard = FindColumn(table.stored.table, guard->second);
    }
    absl::StatusOr<SqliteStatement*> deleted =
        connection_.Query("SELECT 1 FROM pragma_table_info(?) WHERE name = '_tidemark_deleted'",
                          table.stored.table.name);
    if (!deleted.ok()) return deleted.status();
    absl::StatusOr<bool> row = connection_.Next(**deleted);
    if (!row.ok()) return row.status();
    table.has_deleted_column = *row;
    (*deleted)->Reset();
  }
  return absl::OkStatus();
}

absl::Status SqliteCatalog::LoadTables(std::unordered_map<std::string, std::string>* guards) {
  absl::StatusOr<SqliteStatement*> rows = connection_.Query(
      "SELECT t.table_name, t.connection, t.source_name, t.deletes, t.stale_guard, "
      "t.truncate_before, s.name IS NOT NULL FROM _tidemark_tables t "
      "LEFT JOIN sqlite_schema s ON s.type = 'table' AND lower(s.name) = lower(t.table_name)");
  if (!rows.ok()) return rows.status();
  while (true) {
    absl::StatusOr<bool> row = connection_.Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    SqliteTable table;
    TargetTable& target = table.stored.table;
    target.name = (*rows)->String(0);
    table.connection = (*rows)->String(1);
    target.source_name = (*rows)->String(2);
    target.deletes = (*rows)->Text(3) == "hard" ? DeleteMode::kHard : DeleteMode::kSoft;
    const std::string key = absl::AsciiStrToLower(target.name);
    if (!(*rows)->IsNull(4)) (*guards)[key] = (*rows)->String(4);
    if (!(*rows)->IsNull(5)) table.stored.truncate_before_us = (*rows)->Int(5);
    table.stored.shared = table.connection == SharedOwner(table.connection);
    table.gone = (*rows)->Int(6) == 0;
    tables_.emplace(key, std::move(table));
  }
}

absl::Status SqliteCatalog::LoadColumns() {
  absl::StatusOr<SqliteStatement*> rows = connection_.Query(
      "SELECT c.table_name, c.column_name, c.source_name, c.type, c.precision, c.scale, "
      "c.declared, c.is_key, c.sensitive, c.max_abs, c.storage FROM _tidemark_columns c "
      "ORDER BY c.table_name, c.position");
  if (!rows.ok()) return rows.status();
  while (true) {
    absl::StatusOr<bool> row = connection_.Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    auto found = tables_.find(absl::AsciiStrToLower((*rows)->Text(0)));
    const std::optional<DataType> type = ParseDataType((*rows)->Text(3));
    if (found == tables_.end() || !type.has_value()) {
      absl::Status status = absl::DataLossError(
          absl::StrCat("_tidemark_columns of ", connection_.path(), " does not make sense at ",
                       (*rows)->Text(0), ".", (*rows)->Text(1)));
      (*rows)->Reset();
      return status;
    }
    TargetColumn column;
    column.name = (*rows)->String(1);
    column.source_name = (*rows)->String(2);
    column.type.type = *type;
    column.type.precision = static_cast<int32_t>((*rows)->Int(4));
    column.type.scale = static_cast<int32_t>((*rows)->Int(5));
    column.type.declared = (*rows)->Int(6) != 0;
    column.key = (*rows)->Int(7) != 0;
    column.sensitive = (*rows)->Int(8) != 0;
    column.type.max_abs = static_cast<uint64_t>((*rows)->Int(9));
    found->second.storage.push_back((*rows)->IsNull(10) ? std::nullopt
                                                        : std::optional((*rows)->String(10)));
    found->second.stored.table.columns.push_back(std::move(column));
  }
}

absl::Status SqliteCatalog::ForgetGone(
    absl::string_view connection, const std::function<bool(const std::string&)>& begins_again) {
  for (auto table = tables_.begin(); table != tables_.end();) {
    const SqliteTable& found = table->second;
    if (!found.gone || !MayWrite(found.connection, connection)) {
      ++table;
      continue;
    }
    const TargetTable& target = found.stored.table;
    if (!begins_again(target.source_name)) {
      return absl::DataLossError(absl::StrCat(
          "table \"", target.name, "\" is gone from ", connection_.path(),
          " although it was synced; restore it from a backup of the file, or read it again: "
          "`tidemark state reset`"));
    }
    for (const char* forget : {"DELETE FROM _tidemark_tables WHERE table_name = ?",
                               "DELETE FROM _tidemark_columns WHERE table_name = ?"}) {
      if (absl::Status s = connection_.Run(forget, target.name); !s.ok()) return s;
    }
    tables_.erase(table++);
  }
  return absl::OkStatus();
}

const SqliteTable* SqliteCatalog::Find(absl::string_view name) const {
  auto found = tables_.find(absl::AsciiStrToLower(name));
  return found == tables_.end() ? nullptr : &found->second;
}

std::vector<StoredTable> SqliteCatalog::TablesOf(absl::string_view connection) const {
  std::vector<StoredTable> tables;
  for (const auto& [key, table] : tables_) {
    if (!MayWrite(table.connection, connection) || table.gone) continue;
    tables.push_back(table.stored);
    // The truncate of another producer is that one's to finish.
    if (table.connection != connection) tables.back().truncate_before_us = kNoTime;
  }
  std::sort(tables.begin(), tables.end(),
            [](const StoredTable& a, const StoredTable& b) { return a.table.name < b.table.name; });
  return tables;
}

absl::StatusOr<bool> SqliteCatalog::Ensure(const TargetTable& target, absl::string_view owner,
                                           int64_t now_us, std::vector<SchemaChange>* changes) {
  if (absl::Status s = CheckTarget(target); !s.ok()) return s;
  auto found = tables_.find(absl::AsciiStrToLower(target.name));
  if (found == tables_.end()) {
    if (absl::Status s = Create(target, owner, now_us, changes); !s.ok()) return s;
    return true;
  }
  SqliteTable& table = found->second;
  if (!MayWrite(table.connection, owner)) {
    return absl::FailedPreconditionError(
        absl::StrCat("table \"", target.name, "\" belongs to connection \"", table.connection,
                     "\"; connection \"", owner, "\" must not write it. Give \"", owner,
                     "\" a prefix or a database file of its own (destination.connection)"));
  }
  if (table.stored.table.source_name != target.source_name) {
    return absl::FailedPreconditionError(absl::StrCat(
        "table \"", target.name, "\" holds source table \"", table.stored.table.source_name,
        "\"; source table \"", target.source_name, "\" needs another name at the destination"));
  }
  if (KeySet(table.stored.table) != KeySet(target)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the key of table \"", target.name, "\" is ", KeyText(table.stored.table),
                     " at the destination and ", KeyText(target),
                     " at the source. Choices: set the table's "
                     "primary_key to ",
                     KeyText(table.stored.table), ", or load it into another file"));
  }
  const SqliteTable before = table;
  absl::StatusOr<bool> shaped = false;
  absl::Status status = table.connection == owner ? absl::OkStatus() : Share(&table, owner);
  if (status.ok() && table.stored.shared) status = LoadRanges(&table);
  if (status.ok()) {
    shaped = Evolve(&table, target, changes);
    status = shaped.status();
  }
  if (status.ok()) status = WriteChanges(before, table, now_us);
  if (status.ok()) return shaped;
  table = before;
  return status;
}

absl::Status SqliteCatalog::Share(SqliteTable* table, absl::string_view owner) {
  const std::string shared = SharedOwner(owner);
  if (table->connection == shared) return absl::OkStatus();
  // The catalog may be older than what its owner did since.
  absl::StatusOr<SqliteStatement*> waiting = connection_.Query(
      "SELECT truncate_before IS NOT NULL FROM _tidemark_tables WHERE table_name = ?",
      table->stored.table.name);
  if (!waiting.ok()) return waiting.status();
  absl::StatusOr<bool> row = connection_.Next(**waiting);
  if (!row.ok()) return row.status();
  const bool truncated = *row && (*waiting)->Int(0) != 0;
  (*waiting)->Reset();
  if (truncated) {
    return absl::FailedPreconditionError(absl::StrCat(
        "table \"", table->stored.table.name, "\" waits for the end of a truncate by \"",
        table->connection, "\"; \"", owner,
        "\" can write it when that one has pushed everything again and ended its stream"));
  }
  table->connection = shared;
  table->stored.shared = true;
  if (absl::Status s =
          connection_.Run("UPDATE _tidemark_tables SET connection = ? WHERE table_name = ?", shared,
                          table->stored.table.name);
      !s.ok()) {
    return s;
  }
  return TellOthers();
}

// What others hold in memory is bookkeeping that they read again when the file's schema changes.
absl::Status SqliteCatalog::TellOthers() {
  return connection_.Execute("CREATE TABLE _tidemark_reshaped(x); DROP TABLE _tidemark_reshaped");
}

// How large the numbers of other producers are, which alone is no change of the schema.
absl::Status SqliteCatalog::LoadRanges(SqliteTable* table) {
  absl::StatusOr<SqliteStatement*> rows =
      connection_.Query("SELECT column_name, max_abs FROM _tidemark_columns WHERE table_name = ?",
                        table->stored.table.name);
  if (!rows.ok()) return rows.status();
  while (true) {
    absl::StatusOr<bool> row = connection_.Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
    const std::optional<size_t> column = FindColumn(table->stored.table, (*rows)->Text(0));
    if (!column.has_value()) continue;
    table->stored.table.columns[*column].type.max_abs = static_cast<uint64_t>((*rows)->Int(1));
  }
}

absl::Status SqliteCatalog::WriteChanges(const SqliteTable& before, const SqliteTable& table,
                                         int64_t now_us) {
  if (table.stored.table.deletes != before.stored.table.deletes ||
      table.stored.table.stale_guard != before.stored.table.stale_guard) {
    if (absl::Status s = WriteTable(table, now_us); !s.ok()) return s;
  }
  for (size_t i = 0; i < table.storage.size(); ++i) {
    const TargetColumn& now = table.stored.table.columns[i];
    if (i < before.storage.size()) {
      const TargetColumn& old = before.stored.table.columns[i];
      if (now.type == old.type && now.sensitive == old.sensitive &&
          now.source_name == old.source_name && table.storage[i] == before.storage[i]) {
        continue;
      }
    }
    if (absl::Status s = WriteColumn(table, i); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status SqliteCatalog::Create(const TargetTable& target, absl::string_view owner,
                                   int64_t now_us, std::vector<SchemaChange>* changes) {
  if (absl::Status s = RefuseExisting(target); !s.ok()) return s;
  SqliteTable table;
  table.connection = std::string(owner);
  table.stored.table = target;
  table.has_deleted_column = target.deletes == DeleteMode::kSoft;
  for (const TargetColumn& column : target.columns) {
    table.storage.push_back(NewStorage(column.type));
  }
  if (absl::Status s = connection_.Execute(CreateTableSql(table, target.name)); !s.ok()) return s;
  if (absl::Status s = Failpoint("apply.create_table"); !s.ok()) return s;
  if (absl::Status s = WriteTable(table, now_us); !s.ok()) return s;
  for (size_t i = 0; i < target.columns.size(); ++i) {
    if (absl::Status s = WriteColumn(table, i); !s.ok()) return s;
  }
  changes->push_back({target.name, "", "created"});
  tables_.emplace(absl::AsciiStrToLower(target.name), std::move(table));
  return absl::OkStatus();
}

absl::Status SqliteCatalog::RefuseExisting(const TargetTable& target) {
  absl::StatusOr<SqliteStatement*> rows =
      connection_.Query("SELECT type FROM sqlite_schema WHERE lower(name) = lower(?)", target.name);
  if (!rows.ok()) return rows.status();
  absl::StatusOr<bool> row = connection_.Next(**rows);
  if (!row.ok()) return row.status();
  const std::string type = *row ? (*rows)->String(0) : "";
  (*rows)->Reset();
  return type.empty() ? absl::OkStatus() : NotOurs(target.name, type);
}

absl::StatusOr<bool> SqliteCatalog::Evolve(SqliteTable* table, const TargetTable& target,
                                           std::vector<SchemaChange>* changes) {
  bool shaped = false;
  const std::string quoted = QuoteIdentifier(target.name);
  TargetTable& stored = table->stored.table;
  std::vector<Widening> widenings;
  std::vector<size_t> place;  // by column of target: its column of stored
  for (const TargetColumn& column : target.columns) {
    const std::optional<size_t> found = FindColumn(stored, column.name);
    place.push_back(found.value_or(stored.columns.size()));
    if (!found.has_value()) {
      stored.columns.push_back(column);
      stored.columns.back().type = ColumnType();
      table->storage.push_back(std::nullopt);
    }
    TargetColumn& old = stored.columns[place.back()];
    std::optional<std::string>& storage = table->storage[place.back()];
    old.sensitive = column.sensitive;
    old.source_name = column.source_name;
    if (column.type.type == DataType::kUndeclared || column.type == old.type) continue;
    if (!storage.has_value()) {
      storage = NewStorage(column.type);
      if (absl::Status s = connection_.Execute(absl::StrCat(
              "ALTER TABLE ", quoted, " ADD COLUMN ", QuoteIdentifier(column.name), " ", *storage));
          !s.ok()) {
        return s;
      }
      if (absl::Status s = Failpoint("apply.add_column"); !s.ok()) return s;
      changes->push_back(
          {stored.name, column.name, absl::StrCat("column added, ", TypeText(column.type))});
      shaped = true;
    } else if (old.type.type != column.type.type) {
      if (Widen(old.type, column.type).type != column.type.type) {
        return CannotBecome(table->stored, old, column.type);
      }
      widenings.push_back({place.back(), old.type.type, column.type.type});
      changes->push_back(
          {stored.name, column.name,
           absl::StrCat("widened ", TypeText(old.type), " to ", TypeText(column.type))});
    }
    const uint64_t max_abs = std::max(old.type.max_abs, column.type.max_abs);
    old.type = column.type;
    old.type.max_abs = max_abs;  // of the rows of every producer
  }
  if (!widenings.empty()) {
    if (absl::Status s = Failpoint("apply.widen"); !s.ok()) return s;
    if (absl::Status s = WidenColumns(connection_, table, widenings); !s.ok()) return s;
    if (absl::Status s = Failpoint("apply.widened"); !s.ok()) return s;
    // Values that were rewritten in place leave the file's schema as it is.
    if (absl::Status s = TellOthers(); !s.ok()) return s;
    shaped = true;
  }
  stored.deletes = target.deletes;
  stored.stale_guard = target.stale_guard.has_value()
                           ? std::optional<size_t>(place[*target.stale_guard])
                           : std::nullopt;
  if (target.deletes == DeleteMode::kSoft && !table->has_deleted_column) {
    if (absl::Status s = connection_.Execute(absl::StrCat("ALTER TABLE ", quoted, " ADD COLUMN ",
                                                          QuoteIdentifier(kDeletedColumn),
                                                          " INTEGER DEFAULT 0"));
        !s.ok()) {
      return s;
    }
    table->has_deleted_column = true;
    changes->push_back({stored.name, kDeletedColumn, "column added, BOOLEAN"});
    shaped = true;
  }
  return shaped;
}

absl::Status SqliteCatalog::WriteTable(const SqliteTable& table, int64_t now_us) {
  const TargetTable& target = table.stored.table;
  std::optional<std::string> guard;
  if (target.stale_guard.has_value()) guard = target.columns[*target.stale_guard].name;
  return connection_.Run(
      "INSERT INTO _tidemark_tables(table_name, connection, source_name, deletes, stale_guard, "
      "truncate_before, created_at) VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(table_name) DO UPDATE "
      "SET deletes = excluded.deletes, stale_guard = excluded.stale_guard",
      target.name, table.connection, target.source_name,
      target.deletes == DeleteMode::kHard ? "hard" : "soft", guard,
      SqliteTime{table.stored.truncate_before_us}, now_us);
}

absl::Status SqliteCatalog::WriteColumn(const SqliteTable& table, size_t position) {
  const TargetColumn& column = table.stored.table.columns[position];
  return connection_.Run(
      "INSERT OR REPLACE INTO _tidemark_columns(table_name, position, column_name, source_name, "
      "type, precision, scale, declared, is_key, sensitive, max_abs, storage) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      table.stored.table.name, static_cast<int64_t>(position), column.name, column.source_name,
      DataTypeName(column.type.type), column.type.precision, column.type.scale,
      column.type.declared, column.key, column.sensitive, column.type.max_abs,
      table.storage[position]);
}

absl::StatusOr<bool> SqliteCatalog::IsPlain(const std::string& name) {
  absl::StatusOr<SqliteStatement*> rows = connection_.Query(
      "SELECT 1 FROM sqlite_schema WHERE lower(tbl_name) = lower(?) AND (type = 'trigger' OR "
      "(type = 'index' AND sql LIKE '%unique%')) LIMIT 1",
      name);
  if (!rows.ok()) return rows.status();
  absl::StatusOr<bool> row = connection_.Next(**rows);
  if (!row.ok()) return row.status();
  (*rows)->Reset();
  return !*row;
}

absl::Status SqliteCatalog::SetTruncateBefore(absl::string_view name, absl::string_view owner,
                                              std::optional<int64_t> truncate_before) {
  auto found = tables_.find(absl::AsciiStrToLower(name));
  if (found == tables_.end()) return absl::InternalError("truncate of a table that is not there");
  if (truncate_before.has_value()) {
    // The catalog may be older than the first row of another producer.
    absl::StatusOr<SqliteStatement*> rows =
        connection_.Query("SELECT connection FROM _tidemark_tables WHERE table_name = ?",
                          found->second.stored.table.name);
    if (!rows.ok()) return rows.status();
    absl::StatusOr<bool> row = connection_.Next(**rows);
    if (!row.ok()) return row.status();
    const bool ours = *row && (*rows)->Text(0) == owner;
    (*rows)->Reset();
    if (!ours) {
      return absl::FailedPreconditionError(absl::StrCat(
          "several producers of connection \"", ConnectionOf(owner), "\" write table \"", name,
          "\": a truncate by one of them would delete the rows of the others. Delete rows by "
          "their keys, or push into a table of its own"));
    }
  }
  found->second.stored.truncate_before_us = truncate_before.value_or(kNoTime);
  return connection_.Run("UPDATE _tidemark_tables SET truncate_before = ? WHERE table_name = ?",
                         SqliteTime{found->second.stored.truncate_before_us},
                         found->second.stored.table.name);
}

}  // namespace tidemark
