#include "source/known_tables.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tidemark {

// No name holds a byte 0, so the pair is unambiguous.
std::string KnownTables::Key(absl::string_view schema, absl::string_view name) {
  return absl::StrCat(schema, absl::string_view("\0", 1), name);
}

void KnownTables::Reset(std::vector<TableSchema> tables) {
  tables_ = std::move(tables);
  by_name_.clear();
  columns_.clear();
  columns_.resize(tables_.size());
  for (uint32_t i = 0; i < tables_.size(); ++i) {
    by_name_.emplace(Key(tables_[i].schema, tables_[i].name), i);
  }
}

std::string KnownTables::Name(uint32_t table) const {
  return Knows(table) ? absl::StrCat("table ", QualifiedName(tables_[table]))
                      : absl::StrCat("table number ", table);
}

std::optional<uint32_t> KnownTables::Find(absl::string_view schema, absl::string_view name) const {
  const auto found = by_name_.find(Key(schema, name));
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

std::optional<uint32_t> KnownTables::FindColumn(uint32_t table, absl::string_view column) const {
  auto& columns = columns_[table];
  const std::vector<Column>& known = tables_[table].columns;
  for (auto i = static_cast<uint32_t>(columns.size()); i < known.size(); ++i) {
    columns.emplace(known[i].name, i);
  }
  const auto found = columns.find(column);
  if (found == columns.end()) return std::nullopt;
  return found->second;
}

absl::Status KnownTables::Define(uint32_t table, TableSchema definition) {
  const std::optional<uint32_t> same = Find(definition.schema, definition.name);
  if (table == tables_.size() && !same.has_value()) {
    by_name_.emplace(Key(definition.schema, definition.name), table);
    tables_.push_back(std::move(definition));
    columns_.emplace_back();
    return absl::OkStatus();
  }
  if (!Knows(table) || same != table) {
    return absl::DataLossError(absl::StrCat(
        "it defines table ", QualifiedName(definition), " with the number ", table, ", which is ",
        Knows(table) ? absl::StrCat("that of ", Name(table)) : "not the next free one",
        same.has_value() ? absl::StrCat("; the table has the number ", *same) : ""));
  }
  const std::vector<Column>& known = tables_[table].columns;
  for (size_t i = 0; i < known.size(); ++i) {
    const bool kept = i < definition.columns.size() &&
                      definition.columns[i].name == known[i].name &&
                      definition.columns[i].key == known[i].key;
    if (kept) continue;
    return absl::DataLossError(absl::StrCat("it defines ", Name(table),
                                            " again without keeping column ", known[i].name,
                                            " in its place; a table may only grow"));
  }
  tables_[table].columns = std::move(definition.columns);
  return absl::OkStatus();
}

}  // namespace tidemark
