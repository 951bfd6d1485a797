#include "control/table_model.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "control/preview.h"

namespace tidemark {

void TableModel::Define(size_t index, const TableSchema& table) { tables_[index].schema = table; }

std::string TableModel::KeyText(const Table& table, absl::Span<const Value> values) {
  bool keyed = false;
  for (const Column& column : table.schema.columns) keyed = keyed || column.key;
  std::string text;
  for (size_t i = 0; i < values.size(); ++i) {
    if (keyed && !table.schema.columns[i].key) continue;
    const std::optional<std::string> part = ValueText(values[i]);
    absl::StrAppend(&text, part.has_value() ? absl::StrCat(part->size(), ":", *part) : "-", ",");
  }
  return text;
}

bool TableModel::Apply(const ChangeBatch& batch) {
  const auto found = tables_.find(batch.table);
  if (found == tables_.end()) return false;
  Table& table = found->second;
  if (batch.column_count > table.schema.columns.size()) return false;
  size_t before = 0;
  for (size_t row = 0; row < batch.row_count; ++row) {
    const absl::Span<const Value> values = batch.row(row);
    const bool has_before = before < batch.before_rows.size() && batch.before_rows[before] == row;
    const absl::Span<const Value> old =
        has_before ? batch.before_row(before++) : absl::Span<const Value>();
    const ChangeKind kind = batch.kind(row);
    if (kind == ChangeKind::kTruncate) {
      table.rows.clear();
      continue;
    }
    const std::string key = KeyText(table, values);
    if (kind == ChangeKind::kDelete) {
      table.rows.erase(has_before ? KeyText(table, old) : key);
      continue;
    }
    Row next;
    if (kind == ChangeKind::kUpdate) {
      const auto known = table.rows.find(has_before ? KeyText(table, old) : key);
      if (known != table.rows.end()) {
        next = std::move(known->second);
        table.rows.erase(known);
      } else if (!has_before || !IsWholeRow(values, table.schema.columns.size())) {
        continue;  // never half a row
      }
    }
    for (size_t i = 0; i < values.size(); ++i) {
      if (!values[i].is_unchanged()) next[table.schema.columns[i].name] = ValueText(values[i]);
    }
    table.rows[key] = std::move(next);
  }
  return true;
}

void TableModel::Clear(size_t index) {
  if (const auto table = tables_.find(index); table != tables_.end()) table->second.rows.clear();
}

uint64_t TableModel::rows() const {
  uint64_t rows = 0;
  for (const auto& [index, table] : tables_) rows += table.rows.size();
  return rows;
}

std::string TableModel::Difference(const TableModel& other) const {
  for (const auto& [index, table] : tables_) {
    const auto found = other.tables_.find(index);
    const std::string name = QualifiedName(table.schema);
    if (found == other.tables_.end()) {
      if (table.rows.empty()) continue;
      return absl::StrCat("table ", name, " is missing");
    }
    const Table& there = found->second;
    for (const auto& [key, row] : table.rows) {
      const auto same = there.rows.find(key);
      if (same == there.rows.end()) return absl::StrCat("table ", name, " lacks row ", key);
      if (same->second != row) return absl::StrCat("table ", name, " differs in row ", key);
    }
    if (there.rows.size() > table.rows.size()) {
      return absl::StrCat("table ", name, " has ", there.rows.size(), " rows instead of ",
                          table.rows.size());
    }
  }
  return "";
}

}  // namespace tidemark
