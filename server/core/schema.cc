#include "core/schema.h"

#include "absl/strings/str_cat.h"
#include "core/checkpoint.h"

namespace tidemark {

std::string QualifiedName(const TableSchema& table) {
  return table.schema.empty() ? table.name : absl::StrCat(table.schema, ".", table.name);
}

std::string EntryName(const StateEntry& entry) {
  return entry.schema.empty() ? entry.table : absl::StrCat(entry.schema, ".", entry.table);
}

}  // namespace tidemark
