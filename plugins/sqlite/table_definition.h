// The tables of a source database, as its schema declares them.
#ifndef TIDEMARK_SQLITE_TABLE_DEFINITION_H_
#define TIDEMARK_SQLITE_TABLE_DEFINITION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sqlite/database.h"
#include "tidemark/schema.h"

namespace tidemark::sqlite {

// What SQLite converts values of a column to ("Datatypes In SQLite", section 3.1).
enum class Affinity { kInteger, kText, kBlob, kReal, kNumeric };

struct ColumnDefinition {
  std::string name;
  std::string declared;  // "VARCHAR(10)", "INTEGER", or empty
  Affinity affinity = Affinity::kBlob;
  bool generated = false;
};

// A value; thread-compatible.
struct TableDefinition {
  std::string name;
  std::vector<ColumnDefinition> columns;
  std::vector<size_t> key;  // columns of the primary key, in its order; empty: there is none
  bool strict = false;
  bool without_rowid = false;
  bool integer_key = false;  // the key is the rowid
  // Unique, never NULL, and quick to scan in: "rowid" or one of its other names, else the key of a
  // WITHOUT ROWID table. SQL expressions.
  std::vector<std::string> row_order;

  std::optional<size_t> FindColumn(absl::string_view column) const;
  // "a", "b", .. as SQL, each behind `prefix`.
  std::string ColumnList(absl::string_view prefix = "") const;
};

// The tables that can be read, by name: no views, no virtual tables, none of SQLite's or our own.
absl::StatusOr<std::vector<TableDefinition>> ReadTables(Database& database);

// What the host is told. A column has a type only where it can hold nothing else: columns of STRICT
// tables and the INTEGER PRIMARY KEY. Any other column takes values of any kind in SQLite whatever
// its declaration says; its type follows from its values.
Table Declared(const TableDefinition& table);

// INTEGER for "BIGINT", TEXT for "varchar(3)", ...
Affinity AffinityOf(absl::string_view declared);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_TABLE_DEFINITION_H_
