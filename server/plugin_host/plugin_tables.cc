#include "plugin_host/plugin_tables.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/type.h"

namespace tidemark {
namespace {

absl::Status KeyChange(const TableSchema& table, const Column& column) {
  return absl::FailedPreconditionError(
      absl::StrCat("table ", QualifiedName(table), ", column ", column.name,
                   ": the key of a table cannot change during a sync; reset the table"));
}

// Takes over what `given` adds to a known column. True when the column changed.
bool Grow(const Column& given, Column* known) {
  const Column before = *known;
  if (given.type.type != DataType::kUndeclared) known->type = Widen(known->type, given.type);
  known->cursor |= given.cursor;
  known->sensitive |= given.sensitive;
  return !(*known == before);
}

}  // namespace

PluginTables::PluginTables(std::vector<TableSchema> tables)
    : tables_(std::move(tables)), grown_(tables_.size(), false) {
  for (uint32_t i = 0; i < size(); ++i) by_name_[{tables_[i].schema, tables_[i].name}] = i;
}

absl::StatusOr<PluginTables::Defined> PluginTables::Define(const TableSchema& given) {
  const auto [entry, added] = by_name_.try_emplace({given.schema, given.name}, size());
  if (added) {
    tables_.push_back(given);
    grown_.push_back(true);
    return Defined{entry->second, true};
  }
  TableSchema grown = tables_[entry->second];
  bool changed = false;
  for (const Column& column : given.columns) {
    const auto known = std::find_if(grown.columns.begin(), grown.columns.end(),
                                    [&](const Column& c) { return c.name == column.name; });
    if (column.key && (known == grown.columns.end() || !known->key)) {
      return KeyChange(grown, column);
    }
    if (known == grown.columns.end()) {
      grown.columns.push_back(column);
      changed = true;
    } else {
      changed |= Grow(column, &*known);
    }
  }
  if (changed) {
    tables_[entry->second] = std::move(grown);
    grown_[entry->second] = true;
  }
  return Defined{entry->second, changed};
}

std::vector<uint32_t> PluginTables::GrownSinceSchema() const {
  std::vector<uint32_t> indices;
  for (uint32_t i = 0; i < size(); ++i) {
    if (grown_[i]) indices.push_back(i);
  }
  return indices;
}

}  // namespace tidemark
