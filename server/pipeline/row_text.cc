#include "pipeline/row_text.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "pipeline/value_conversion.h"

namespace tidemark {
namespace {

constexpr char kHidden[] = "***";

void AppendValue(const NamedColumn& column, const Value& value, std::string* out) {
  if (value.is_null()) {
    out->append("null");
    return;
  }
  if (column.sensitive) {
    AppendJsonString(kHidden, out);
    return;
  }
  switch (value.kind) {
    case ValueKind::kBool:
    case ValueKind::kInt64:
      out->append(CanonicalText(value));
      return;
    case ValueKind::kDouble:
      if (std::isfinite(value.f64)) {
        out->append(DoubleText(value.f64));
        return;
      }
      break;
    case ValueKind::kJson:
      if (JsonChecker().Check(value.view()).ok()) {
        absl::StrAppend(out, value.view());
        return;
      }
      break;
    default:
      break;
  }
  AppendJsonString(CanonicalText(value), out);
}

void AppendObject(absl::Span<const NamedColumn> columns, absl::Span<const Value> row,
                  bool keys_only, std::string* out) {
  const size_t count = std::min(columns.size(), row.size());
  out->push_back('{');
  for (size_t i = 0; i < count; ++i) {
    if (row[i].is_unchanged() || (keys_only && !columns[i].key)) continue;
    if (out->back() != '{') out->push_back(',');
    AppendJsonString(columns[i].name, out);
    out->push_back(':');
    AppendValue(columns[i], row[i], out);
  }
  out->push_back('}');
}

}  // namespace

std::vector<NamedColumn> NamedColumns(const TableSchema& table) {
  std::vector<NamedColumn> names;
  names.reserve(table.columns.size());
  for (const Column& column : table.columns) {
    names.push_back({column.name, column.key, column.sensitive});
  }
  return names;
}

std::vector<NamedColumn> NamedColumns(const TargetTable& table) {
  std::vector<NamedColumn> names;
  for (const TargetColumn& column : table.columns) {
    const std::string& name = column.source_name.empty() ? column.name : column.source_name;
    names.push_back({name, column.key, column.sensitive});
  }
  return names;
}

absl::string_view ChangeKindName(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kUpsert:
      return "upsert";
    case ChangeKind::kUpdate:
      return "update";
    case ChangeKind::kDelete:
      return "delete";
    case ChangeKind::kTruncate:
      return "truncate";
    case ChangeKind::kSnapshot:
      return "snapshot";
  }
  return "unknown";
}

std::string ChangeJson(ChangeKind kind, absl::Span<const NamedColumn> columns,
                       absl::Span<const Value> row, absl::Span<const Value> before) {
  std::string out = absl::StrCat("{\"op\":\"", ChangeKindName(kind), "\",\"values\":");
  AppendObject(columns, row, /*keys_only=*/kind == ChangeKind::kDelete, &out);
  if (!before.empty()) {
    out.append(",\"before\":");
    AppendObject(columns, before, /*keys_only=*/false, &out);
  }
  out.push_back('}');
  return out;
}

std::string KeyJson(absl::Span<const NamedColumn> columns, absl::Span<const Value> row) {
  std::string out;
  AppendObject(columns, row, /*keys_only=*/true, &out);
  return out == "{}" ? std::string() : out;
}

std::string RecordId(absl::Span<const NamedColumn> columns, absl::Span<const Value> row) {
  std::string list;
  size_t keys = 0;
  size_t last = 0;
  for (size_t i = 0; i < std::min(columns.size(), row.size()); ++i) {
    if (!columns[i].key) continue;
    if (keys++ > 0) list.push_back(',');
    last = i;
    AppendValue(columns[i], row[i], &list);
  }
  if (keys == 0) return "";
  if (keys > 1) return absl::StrCat("[", list, "]");
  if (row[last].is_null() || columns[last].sensitive) return list == "null" ? "" : kHidden;
  return CanonicalText(row[last]);
}

}  // namespace tidemark
