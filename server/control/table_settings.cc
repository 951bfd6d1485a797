#include "control/table_settings.h"

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "control/connection.h"

namespace tidemark {
namespace {

std::vector<std::string> Texts(const ConfigNode& node) {
  std::vector<std::string> texts;
  if (node.is_scalar()) texts.push_back(node.text);
  for (const ConfigNode& item : node.items) texts.push_back(item.text);
  return texts;
}

bool Is(const ConfigNode* node, absl::string_view value) {
  return node != nullptr && absl::EqualsIgnoreCase(node->text, value);
}

}  // namespace

std::optional<ColumnType> ParseColumnType(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  ColumnType type;
  type.declared = true;
  const size_t open = text.find('(');
  std::optional<DataType> name = ParseDataType(text.substr(0, open));
  if (!name.has_value() || *name == DataType::kUndeclared) return std::nullopt;
  type.type = *name;
  if (open == absl::string_view::npos) return type;
  if (*name != DataType::kDecimal || !absl::ConsumeSuffix(&text, ")")) return std::nullopt;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text.substr(open + 1), absl::MaxSplits(',', 1));
  if (!absl::SimpleAtoi(parts.first, &type.precision) || type.precision < 1 ||
      type.precision > 1000) {
    return std::nullopt;
  }
  if (!parts.second.empty() && !absl::SimpleAtoi(parts.second, &type.scale)) return std::nullopt;
  if (type.scale < 0 || type.scale > type.precision) return std::nullopt;
  return type;
}

TableRule ReadTableRule(const CheckedConfiguration::Table& table, const TableRule& defaults,
                        std::vector<ConfigurationProblem>* problems) {
  const auto find = [&table](const std::string& path) -> const ConfigNode* {
    const auto found = table.settings.find(path);
    if (found == table.settings.end() || found->second->kind == ConfigNode::Kind::kNull) {
      return nullptr;
    }
    return found->second;
  };
  TableRule rule = defaults;
  rule.pattern = table.pattern;
  if (const ConfigNode* key = find("primary_key"); key != nullptr) rule.primary_key = Texts(*key);
  if (const ConfigNode* deletes = find("deletes"); deletes != nullptr) {
    rule.deletes = Is(deletes, "hard") ? DeleteMode::kHard : DeleteMode::kSoft;
  }
  if (const ConfigNode* on_error = find("on_error"); on_error != nullptr) {
    rule.on_error = Is(on_error, "stop") ? OnError::kStop : OnError::kContinue;
  }
  if (Is(find("stale_guard"), "off")) rule.stale_guard = StaleGuard::kOff;
  if (const ConfigNode* exclude = find("columns.exclude"); exclude != nullptr) {
    rule.exclude_columns = Texts(*exclude);
  }
  if (const ConfigNode* rename = find("columns.rename"); rename != nullptr) {
    for (const ConfigNode::Entry& entry : rename->entries) {
      rule.rename_columns[entry.key] = entry.value.text;
    }
  }
  if (const ConfigNode* types = find("columns.type"); types != nullptr) {
    for (const ConfigNode::Entry& entry : types->entries) {
      const std::optional<ColumnType> type = ParseColumnType(entry.value.text);
      if (type.has_value()) {
        rule.column_types[entry.key] = *type;
      } else {
        problems->push_back(
            {entry.value.line, entry.value.column,
             absl::StrCat("sync.source.tables.", table.pattern, ".columns.type.", entry.key),
             absl::StrCat("\"", entry.value.text,
                          "\" is no type; expected LONG, "
                          "DECIMAL(12,2), UTC_DATETIME, ...")});
      }
    }
  }
  return rule;
}

}  // namespace tidemark
