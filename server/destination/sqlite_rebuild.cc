#include "destination/sqlite_rebuild.h"

#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/canary.h"
#include "core/failpoint.h"
#include "destination/sqlite_dialect.h"

namespace tidemark {
namespace {

// What the authorizer of FindView looks for and finds.
struct ViewProbe {
  absl::string_view table;
  bool reads_table = false;
};

int OnAuthorize(void* context, int action, const char* table, const char*, const char*,
                const char*) {
  ViewProbe* probe = static_cast<ViewProbe*>(context);
  if (action == SQLITE_READ && table != nullptr && absl::EqualsIgnoreCase(table, probe->table)) {
    probe->reads_table = true;
  }
  return SQLITE_OK;
}

absl::StatusOr<std::vector<std::string>> Names(SqliteConnection& connection, absl::string_view sql,
                                               absl::string_view argument) {
  absl::StatusOr<SqliteStatement*> rows = connection.Query(sql, argument);
  if (!rows.ok()) return rows.status();
  std::vector<std::string> names;
  while (true) {
    absl::StatusOr<bool> row = connection.Next(**rows);
    if (!row.ok()) return row.status();
    if (!*row) return names;
    names.push_back((*rows)->String(0));
  }
}

// FAILED_PRECONDITION naming a view that reads the table.
absl::Status RefuseDependentView(SqliteConnection& connection, const std::string& table) {
  absl::StatusOr<std::vector<std::string>> views =
      Names(connection, "SELECT name FROM sqlite_schema WHERE type = 'view' AND name <> ?",
            "_tidemark_sync_metadata");
  if (!views.ok()) return views.status();
  for (const std::string& view : *views) {
    ViewProbe probe{table};
    sqlite3_set_authorizer(connection.db(), OnAuthorize, &probe);
    // A view that does not compile depends on nothing.
    absl::StatusOr<SqliteStatement> statement =
        connection.Prepare(absl::StrCat("SELECT * FROM ", QuoteIdentifier(view)));
    sqlite3_set_authorizer(connection.db(), nullptr, nullptr);
    if (statement.ok() && probe.reads_table) {
      return absl::FailedPreconditionError(absl::StrCat(
          "view \"", view, "\" depends on table \"", table,
          "\", whose columns have to be "
          "rebuilt for a wider type; drop the view, run the sync and create it again"));
    }
  }
  return absl::OkStatus();
}

absl::Status RefuseForeignColumns(SqliteConnection& connection, const SqliteTable& table) {
  const std::string& name = table.stored.table.name;
  absl::StatusOr<std::vector<std::string>> columns =
      Names(connection, "SELECT name FROM pragma_table_xinfo(?)", name);
  if (!columns.ok()) return columns.status();
  for (const std::string& column : *columns) {
    bool ours = column == kSyncedColumn || column == kDeletedColumn;
    for (const TargetColumn& known : table.stored.table.columns) {
      ours = ours || absl::EqualsIgnoreCase(known.name, column);
    }
    if (!ours) {
      return absl::FailedPreconditionError(
          absl::StrCat("table \"", name, "\" has a column \"", column,
                       "\" that Tidemark did not make, and has "
                       "to be rebuilt for a wider type; move that column to a table of its own"));
    }
  }
  return absl::OkStatus();
}

absl::Status Rebuild(SqliteConnection& connection, SqliteTable* table,
                     const std::vector<Widening>& widenings) {
  const TargetTable& target = table->stored.table;
  if (absl::Status s = RefuseDependentView(connection, target.name); !s.ok()) return s;
  if (absl::Status s = RefuseForeignColumns(connection, *table); !s.ok()) return s;
  absl::StatusOr<std::vector<std::string>> objects =
      Names(connection,
            "SELECT sql FROM sqlite_schema WHERE lower(tbl_name) = lower(?) AND "
            "type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid",
            target.name);
  if (!objects.ok()) return objects.status();

  std::vector<std::string> names;
  std::vector<std::string> values;
  for (size_t i = 0; i < target.columns.size(); ++i) {
    if (!table->storage[i].has_value()) continue;
    names.push_back(QuoteIdentifier(target.columns[i].name));
    values.push_back(names.back());
    for (const Widening& widening : widenings) {
      if (widening.column != i) continue;
      if (!table->storage[i]->empty()) {
        table->storage[i] = std::string(StorageName(widening.to));
      }
      values.back() = ConversionSql(names.back(), widening.from, widening.to);
    }
  }
  names.push_back(QuoteIdentifier(kSyncedColumn));
  values.push_back(names.back());
  if (table->has_deleted_column) {
    names.push_back(QuoteIdentifier(kDeletedColumn));
    values.push_back(names.back());
  }
  const std::string fresh = absl::StrCat("_tidemark_rebuild_", target.name);
  std::vector<std::string> steps = {
      // Other tables' triggers may speak of this one; they stay as they are.
      "PRAGMA legacy_alter_table = ON",
      CreateTableSql(*table, fresh),
      absl::StrCat("INSERT INTO ", QuoteIdentifier(fresh), "(", absl::StrJoin(names, ", "),
                   ") SELECT ", absl::StrJoin(values, ", "), " FROM ", QuoteIdentifier(target.name),
                   Canary("drop_a_row_at_a_widening") ? " LIMIT -1 OFFSET 1" : ""),
      absl::StrCat("DROP TABLE ", QuoteIdentifier(target.name)),
      absl::StrCat("ALTER TABLE ", QuoteIdentifier(fresh), " RENAME TO ",
                   QuoteIdentifier(target.name)),
  };
  steps.insert(steps.end(), objects->begin(), objects->end());
  absl::Status status;
  for (const std::string& step : steps) {
    if (status.ok()) status = Failpoint("apply.rebuild");
    if (status.ok()) status = connection.Execute(step);
  }
  connection.Execute("PRAGMA legacy_alter_table = OFF").IgnoreError();
  return status;
}

absl::Status UpdateInPlace(SqliteConnection& connection, const SqliteTable& table,
                           const Widening& widening) {
  const std::string name = QuoteIdentifier(table.stored.table.columns[widening.column].name);
  return connection.Execute(
      absl::StrCat("UPDATE ", QuoteIdentifier(table.stored.table.name), " SET ", name, " = ",
                   ConversionSql(name, widening.from, widening.to), " WHERE typeof(", name,
                   ") = ", QuoteText(absl::AsciiStrToLower(StorageName(widening.from)))));
}

}  // namespace

std::string CreateTableSql(const SqliteTable& table, absl::string_view name) {
  std::vector<std::string> parts;
  std::vector<std::string> keys;
  const TargetTable& target = table.stored.table;
  for (size_t i = 0; i < target.columns.size(); ++i) {
    if (!table.storage[i].has_value()) continue;
    const TargetColumn& column = target.columns[i];
    parts.push_back(absl::StrCat(QuoteIdentifier(column.name), table.storage[i]->empty() ? "" : " ",
                                 *table.storage[i],
                                 column.key && !table.integer_key() ? " NOT NULL" : ""));
    if (column.key) keys.push_back(QuoteIdentifier(column.name));
  }
  parts.push_back(absl::StrCat(QuoteIdentifier(kSyncedColumn), " TEXT"));
  if (table.has_deleted_column) {
    parts.push_back(absl::StrCat(QuoteIdentifier(kDeletedColumn), " INTEGER DEFAULT 0"));
  }
  // A single INTEGER column in PRIMARY KEY becomes SQLite's rowid: one B-tree instead of two.
  parts.push_back(absl::StrCat("PRIMARY KEY(", absl::StrJoin(keys, ", "), ")"));
  return absl::StrCat("CREATE TABLE ", QuoteIdentifier(name), "(\n  ",
                      absl::StrJoin(parts, ",\n  "), "\n)");
}

absl::Status WidenColumns(SqliteConnection& connection, SqliteTable* table,
                          const std::vector<Widening>& widenings) {
  bool rebuild = false;
  for (const Widening& widening : widenings) {
    const std::string& declared = *table->storage[widening.column];
    rebuild = rebuild || (!declared.empty() && declared != StorageName(widening.to));
  }
  if (rebuild) return Rebuild(connection, table, widenings);
  for (const Widening& widening : widenings) {
    if (!NeedsConversion(widening.from, widening.to)) continue;
    if (absl::Status s = UpdateInPlace(connection, *table, widening); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace tidemark
