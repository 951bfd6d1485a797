#include "destination/sqlite_dialect.h"

#include <cmath>
#include <unordered_map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/text.h"

namespace tidemark {
namespace {

void DoubleDecimalFunction(sqlite3_context* context, int, sqlite3_value** values) {
  const double value = sqlite3_value_double(values[0]);
  const std::string text = std::isfinite(value) ? DoubleDecimal(value) : DoubleText(value);
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

absl::Status BadName(absl::string_view what, absl::string_view name, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat(what, " \"", name, "\" cannot stand in SQLite: ", why));
}

}  // namespace

std::string QuoteIdentifier(absl::string_view name) {
  return absl::StrCat("\"", absl::StrReplaceAll(name, {{"\"", "\"\""}}), "\"");
}

std::string QuoteText(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "''"}}), "'");
}

absl::string_view StorageName(DataType type) {
  switch (type) {
    case DataType::kBoolean:
    case DataType::kShort:
    case DataType::kInt:
    case DataType::kLong:
      return "INTEGER";
    case DataType::kFloat:
    case DataType::kDouble:
      return "REAL";
    case DataType::kBinary:
      return "BLOB";
    case DataType::kUndeclared:
    case DataType::kDecimal:
    case DataType::kNaiveDate:
    case DataType::kNaiveTime:
    case DataType::kNaiveDatetime:
    case DataType::kUtcDatetime:
    case DataType::kXml:
    case DataType::kString:
    case DataType::kJson:
      return "TEXT";
  }
  return "TEXT";
}

absl::Status RegisterFunctions(SqliteConnection& connection) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  if (sqlite3_create_function(connection.db(), "tidemark_double_decimal", 1, kFlags, nullptr,
                              DoubleDecimalFunction, nullptr, nullptr) != SQLITE_OK) {
    return connection.Error();
  }
  return absl::OkStatus();
}

bool NeedsConversion(DataType from, DataType to) {
  if (from == DataType::kUndeclared || from == to) return false;
  return StorageName(from) != StorageName(to);
}

std::string ConversionSql(absl::string_view column, DataType from, DataType to) {
  std::string text;
  if (from == DataType::kBoolean && StorageName(to) == "TEXT") {
    text = absl::StrCat("CASE WHEN ", column, " THEN 'true' ELSE 'false' END");
  } else if (StorageName(from) == "INTEGER" && StorageName(to) == "REAL") {
    text = absl::StrCat("CAST(", column, " AS REAL)");
  } else if (StorageName(from) == "INTEGER") {
    text = absl::StrCat("CAST(", column, " AS TEXT)");
  } else if (StorageName(from) == "REAL") {
    // Never SQLite's own CAST, which keeps 15 digits only.
    text = absl::StrCat("tidemark_double_decimal(", column, ")");
  } else if (StorageName(from) == "BLOB") {
    text = absl::StrCat("lower(hex(", column, "))");
  } else {
    text = std::string(column);
  }
  return absl::StrCat("CASE WHEN ", column, " IS NULL THEN NULL ELSE ", text, " END");
}

absl::Status CheckTarget(const TargetTable& table) {
  const std::string lower = absl::AsciiStrToLower(table.name);
  if (table.name.empty() || HasNul(table.name)) {
    return BadName("table", table.name, "its name is empty or holds a NUL byte");
  }
  if (absl::StartsWith(lower, "sqlite_") || absl::StartsWith(lower, "_tidemark_")) {
    return BadName("table", table.name,
                   "names that start with sqlite_ or _tidemark_ are taken; rename it");
  }
  std::unordered_map<std::string, std::string> seen;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const TargetColumn& column = table.columns[i];
    const std::string name = absl::AsciiStrToLower(column.name);
    if (column.name.empty() || HasNul(column.name)) {
      return BadName("column", absl::StrCat(table.name, ".", column.name),
                     "its name is empty or holds a NUL byte");
    }
    const bool row_id = name == kIdColumn && i == 0 && column.key;
    if (absl::StartsWith(name, "_tidemark_") && !row_id) {
      return BadName("column", absl::StrCat(table.name, ".", column.name),
                     "names that start with _tidemark_ are taken; rename it");
    }
    auto [other, fresh] = seen.emplace(name, column.name);
    if (!fresh) {
      return BadName("column", absl::StrCat(table.name, ".", column.name),
                     absl::StrCat("SQLite ignores case, and column \"", other->second,
                                  "\" has the same name; rename one of them"));
    }
    if (column.key && column.type.type == DataType::kUndeclared) {
      return BadName("column", absl::StrCat(table.name, ".", column.name),
                     "it is part of the key but its type is not known yet");
    }
  }
  if (seen.empty() || !table.columns.empty()) {
    bool key = false;
    for (const TargetColumn& column : table.columns) key = key || column.key;
    if (!key) return BadName("table", table.name, "it has no key column");
  }
  return absl::OkStatus();
}

}  // namespace tidemark
