#include "sqlite/table_definition.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tidemark::sqlite {
namespace {

absl::Status ReadColumns(Database& database, TableDefinition* table) {
  auto rows = database.Prepare(
      "SELECT name, type, pk, hidden FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid");
  if (!rows.ok()) return rows.status();
  rows->Bind(1, table->name);
  std::map<int64_t, size_t> key;  // by place in the key
  for (;;) {
    auto row = rows->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    ColumnDefinition column;
    column.name = std::string(rows->Text(0));
    column.declared = std::string(rows->Text(1));
    column.affinity = AffinityOf(column.declared);
    column.generated = rows->Int(3) != 0;
    if (rows->Int(2) > 0) key[rows->Int(2)] = table->columns.size();
    table->columns.push_back(std::move(column));
  }
  for (const auto& [place, column] : key) table->key.push_back(column);
  return absl::OkStatus();
}

// Whether the primary key is another name of the rowid: only then it has no index of its own.
absl::Status FindIntegerKey(Database& database, TableDefinition* table) {
  if (table->without_rowid || table->key.size() != 1) return absl::OkStatus();
  if (!absl::EqualsIgnoreCase(table->columns[table->key[0]].declared, "INTEGER")) {
    return absl::OkStatus();
  }
  auto indexes = database.Number("SELECT count(*) FROM pragma_index_list(?1) WHERE origin = 'pk'",
                                 {Cell::Text(table->name)});
  if (!indexes.ok()) return indexes.status();
  table->integer_key = *indexes == 0;
  return absl::OkStatus();
}

void ChooseRowOrder(TableDefinition* table) {
  if (table->without_rowid) {
    for (const size_t column : table->key) {
      table->row_order.push_back(Quoted(table->columns[column].name));
    }
    return;
  }
  for (const char* name : {"rowid", "_rowid_", "oid"}) {
    const bool taken = std::any_of(
        table->columns.begin(), table->columns.end(),
        [name](const ColumnDefinition& c) { return absl::EqualsIgnoreCase(c.name, name); });
    if (!taken) {
      table->row_order.push_back(name);
      return;
    }
  }
  if (table->integer_key) table->row_order.push_back(Quoted(table->columns[table->key[0]].name));
}

Type StrictType(absl::string_view declared) {
  if (absl::EqualsIgnoreCase(declared, "INT") || absl::EqualsIgnoreCase(declared, "INTEGER")) {
    return kLong;
  }
  if (absl::EqualsIgnoreCase(declared, "REAL")) return kDouble;
  if (absl::EqualsIgnoreCase(declared, "TEXT")) return kString;
  if (absl::EqualsIgnoreCase(declared, "BLOB")) return kBinary;
  return kUndeclared;  // ANY
}

}  // namespace

// The rules in their order: "Datatypes In SQLite", section 3.1.
Affinity AffinityOf(absl::string_view declared) {
  const std::string type = absl::AsciiStrToUpper(declared);
  const auto has = [&type](absl::string_view part) { return absl::StrContains(type, part); };
  if (has("INT")) return Affinity::kInteger;
  if (has("CHAR") || has("CLOB") || has("TEXT")) return Affinity::kText;
  if (type.empty() || has("BLOB") || type == "ANY") return Affinity::kBlob;
  if (has("REAL") || has("FLOA") || has("DOUB")) return Affinity::kReal;
  return Affinity::kNumeric;
}

std::optional<size_t> TableDefinition::FindColumn(absl::string_view column) const {
  // SQLite does not tell case apart in names.
  for (size_t i = 0; i < columns.size(); ++i) {
    if (absl::EqualsIgnoreCase(columns[i].name, column)) return i;
  }
  return std::nullopt;
}

std::string TableDefinition::ColumnList(absl::string_view prefix) const {
  return absl::StrJoin(columns, ", ", [prefix](std::string* out, const ColumnDefinition& c) {
    absl::StrAppend(out, prefix, Quoted(c.name));
  });
}

absl::StatusOr<std::vector<TableDefinition>> ReadTables(Database& database) {
  auto names = database.Prepare(
      "SELECT name, wr, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
      "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE '\\_tidemark\\_%' ESCAPE '\\' "
      "ORDER BY name");
  if (!names.ok()) return names.status();
  std::vector<TableDefinition> tables;
  for (;;) {
    auto row = names->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    TableDefinition table;
    table.name = std::string(names->Text(0));
    table.without_rowid = names->Int(1) != 0;
    table.strict = names->Int(2) != 0;
    tables.push_back(std::move(table));
  }
  for (TableDefinition& table : tables) {
    if (absl::Status s = ReadColumns(database, &table); !s.ok()) return s;
    if (absl::Status s = FindIntegerKey(database, &table); !s.ok()) return s;
    ChooseRowOrder(&table);
  }
  return tables;
}

Table Declared(const TableDefinition& definition) {
  Table table(definition.name);
  for (size_t i = 0; i < definition.columns.size(); ++i) {
    const ColumnDefinition& column = definition.columns[i];
    const bool key = std::count(definition.key.begin(), definition.key.end(), i) > 0;
    Type type = definition.strict ? StrictType(column.declared) : kUndeclared;
    if (key && definition.integer_key) type = kLong;
    if (key) {
      table.Key(column.name, type);
    } else {
      table.Column(column.name, type);
    }
  }
  return table;
}

}  // namespace tidemark::sqlite
