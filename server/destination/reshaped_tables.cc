#include "destination/reshaped_tables.h"

#include "absl/strings/str_cat.h"

namespace tidemark {

absl::Status ReshapedTables::Check(const SqliteCatalog& catalog, const TargetTable& used) {
  const SqliteTable* found = catalog.Find(used.name);
  if (found == nullptr) return absl::OkStatus();  // gone: the statements will say so
  for (const TargetColumn& column : used.columns) {
    for (const TargetColumn& stored : found->stored.table.columns) {
      if (stored.name != column.name || stored.type.type == column.type.type ||
          column.type.type == DataType::kUndeclared) {
        continue;
      }
      Note(used.name);
      return absl::AbortedError(absl::StrCat("another producer has widened column \"", used.name,
                                             ".", column.name, "\" meanwhile"));
    }
  }
  return absl::OkStatus();
}

std::vector<StoredTable> ReshapedTables::Take(const SqliteCatalog& catalog,
                                              absl::string_view connection) {
  std::vector<StoredTable> tables;
  for (const StoredTable& table : catalog.TablesOf(connection)) {
    if (names_.count(table.table.name) != 0) tables.push_back(table);
  }
  names_.clear();
  return tables;
}

}  // namespace tidemark
