#include "sqlite/captured_change.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cursors/time_text.h"
#include "nlohmann/json.hpp"

namespace tidemark::sqlite {
namespace {

using nlohmann::json;

json Parse(absl::string_view text) { return json::parse(text.begin(), text.end(), nullptr, false); }

// The row of an object by column, or of a list of such objects.
absl::StatusOr<std::vector<Cell>> ReadRow(absl::string_view text, const TableDefinition& table) {
  json whole = Parse(text);
  if (whole.is_array()) {
    json merged = json::object();
    for (const json& part : whole) {
      if (part.is_object()) merged.update(part);
    }
    whole = std::move(merged);
  }
  if (!whole.is_object()) {
    return absl::InvalidArgumentError("a captured row is not JSON; is a text in it not UTF-8?");
  }
  std::vector<Cell> row;
  row.reserve(table.columns.size());
  for (const ColumnDefinition& column : table.columns) {
    const auto found = whole.find(column.name);
    if (found == whole.end()) {
      return absl::InvalidArgumentError(absl::StrCat("a captured row has no column ", column.name));
    }
    absl::StatusOr<Cell> cell = CellFromJson(*found);
    if (!cell.ok()) return cell.status();
    row.push_back(*std::move(cell));
  }
  return row;
}

}  // namespace

std::string CapturedChange::MarkOf(const Statement& row) {
  RowDigest digest;
  for (int column = 1; column < row.column_count(); ++column) digest.Add(row.ToValue(column));
  return digest.Finish();
}

absl::StatusOr<CapturedChange> CapturedChange::Read(const Statement& row,
                                                    const TableDefinition& table) {
  CapturedChange change;
  change.seq = row.Int(0);
  change.mark = MarkOf(row);
  const auto time = cursors::ParseTime(row.Text(1));
  change.time = time.ok() ? time->time : absl::InfinitePast();
  const absl::string_view op = row.Text(2);
  if (op.size() != 1 || absl::string_view("cudm").find(op[0]) == absl::string_view::npos) {
    return absl::InvalidArgumentError("a captured change has an unknown operation");
  }
  change.op = op[0];
  std::optional<std::vector<Cell>> key = CellsFromJson(Parse(row.Text(3)));
  if (!key || key->size() != table.key.size()) {
    return absl::InvalidArgumentError("a captured change has a key of another form");
  }
  change.key = *std::move(key);
  for (const auto& [column, out] : {std::pair(4, &change.old_row), std::pair(5, &change.new_row)}) {
    if (row.IsNull(column)) continue;
    absl::StatusOr<std::vector<Cell>> cells = ReadRow(row.Text(column), table);
    if (!cells.ok()) return cells.status();
    *out = *std::move(cells);
  }
  const bool needs_new = change.op == 'c' || change.op == 'u';
  const bool needs_old = change.op != 'c' && table.key.empty();
  if ((needs_new && change.new_row.empty()) || (needs_old && change.old_row.empty())) {
    return absl::InvalidArgumentError("a captured change has no row");
  }
  return change;
}

std::vector<Value> ValuesOf(const std::vector<Cell>& cells) {
  std::vector<Value> values;
  values.reserve(cells.size());
  for (const Cell& cell : cells) values.push_back(cell.ToValue());
  return values;
}

}  // namespace tidemark::sqlite
