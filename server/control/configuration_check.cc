#include "control/configuration_check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "control/configuration_keys.h"
#include "control/exit_code.h"
#include "core/duration_text.h"

namespace tidemark {
namespace {

std::string Join(absl::string_view path, absl::string_view name) {
  return path.empty() ? std::string(name) : absl::StrCat(path, ".", name);
}

bool OneOf(absl::string_view value, absl::string_view choices) {
  for (absl::string_view choice : absl::StrSplit(choices, '|', absl::SkipEmpty())) {
    if (absl::EqualsIgnoreCase(choice, value)) return true;
  }
  return false;
}

class Checker {
 public:
  explicit Checker(KeyTable keys) : keys_(keys) {}

  CheckedConfiguration Run(const ConfigNode& root) {
    if (!root.is_map()) {
      out_.Add(root, "", "the file must be a map with the key sync");
      return std::move(out_);
    }
    Section(root, "", &out_.values, "");
    return std::move(out_);
  }

 private:
  using Values = std::map<std::string, const ConfigNode*>;

  // `path` is where the section stands in the table, `prefix` what is cut off for `values`.
  void Section(const ConfigNode& node, const std::string& path, Values* values,
               const std::string& prefix) {
    if (node.kind == ConfigNode::Kind::kNull) return;
    if (!node.is_map()) {
      out_.Add(node, path,
               absl::StrCat("expected a map with ", absl::StrJoin(KeysBelow(path, keys_), ", ")));
      return;
    }
    for (const ConfigNode::Entry& entry : node.entries) {
      const std::string below = Join(path, entry.key);
      const ConfigurationKey* key = FindConfigurationKey(below, keys_);
      if (key == nullptr) {
        Unknown(entry, path);
        continue;
      }
      (*values)[below.substr(prefix.size())] = &entry.value;
      Check(*key, entry, below, values, prefix);
    }
  }

  void Unknown(const ConfigNode::Entry& entry, const std::string& path) {
    std::string text = absl::StrCat("unknown key \"", entry.key, "\"");
    const std::string nearest = NearestName(entry.key, KeysBelow(path, keys_));
    const std::vector<std::string> elsewhere = PathsEndingIn(entry.key, keys_);
    if (!nearest.empty()) {
      absl::StrAppend(&text, "; did you mean \"", nearest, "\"?");
    } else if (!elsewhere.empty()) {
      absl::StrAppend(&text, "; did you mean ", elsewhere.front(), "?");
    } else {
      absl::StrAppend(&text, "; allowed here: ", absl::StrJoin(KeysBelow(path, keys_), ", "));
    }
    ConfigNode at;
    at.line = entry.line;
    at.column = entry.column;
    out_.Add(at, Join(path, entry.key), std::move(text));
  }

  void Check(const ConfigurationKey& key, const ConfigNode::Entry& entry, const std::string& path,
             Values* values, const std::string& prefix) {
    const ConfigNode& node = entry.value;
    if (absl::string_view(key.not_built) == "*") {
      ConfigNode at;
      at.line = entry.line;
      at.column = entry.column;
      out_.Add(at, path, "is not built yet", true);
      return;
    }
    switch (key.type) {
      case KeyType::kSection:
        return Section(node, path, values, prefix);
      case KeyType::kTables:
        return Tables(node, path);
      case KeyType::kList:
        return List(node, path);
      case KeyType::kAny:
        if (!node.is_map() && node.kind != ConfigNode::Kind::kNull) {
          out_.Add(node, path, "expected a map");
        }
        return;
      case KeyType::kAnything:
        return;
      case KeyType::kTextList:
        return TextList(node, path);
      case KeyType::kTextMap:
      case KeyType::kIntegerMap:
        return TextMap(node, path);
      default:
        return Scalar(key, node, path);
    }
  }

  void TextList(const ConfigNode& node, const std::string& path) {
    bool good = node.is_scalar() || node.is_list();
    for (const ConfigNode& item : node.items) good = good && item.is_scalar();
    if (!good) out_.Add(node, path, "expected a list of texts");
  }

  void TextMap(const ConfigNode& node, const std::string& path) {
    bool good = node.is_map();
    for (const ConfigNode::Entry& item : node.entries) good = good && item.value.is_scalar();
    if (!good) out_.Add(node, path, "expected a map of names to texts");
  }

  void List(const ConfigNode& node, const std::string& path) {
    if (!node.is_list()) {
      out_.Add(node, path, "expected a list of maps");
      return;
    }
    Values ignored;
    for (const ConfigNode& item : node.items) Section(item, path + "[]", &ignored, "");
  }

  void Tables(const ConfigNode& node, const std::string& path) {
    if (node.is_scalar()) {
      AddTable(node.text, nullptr, node, path);
    } else if (node.is_map()) {
      for (const ConfigNode::Entry& entry : node.entries) {
        AddTable(entry.key, &entry.value, entry.value, path);
      }
    } else if (node.is_list()) {
      for (const ConfigNode& item : node.items) {
        if (item.is_scalar()) {
          AddTable(item.text, nullptr, item, path);
        } else if (item.is_map()) {
          for (const ConfigNode::Entry& entry : item.entries) {
            AddTable(entry.key, &entry.value, entry.value, path);
          }
        } else {
          out_.Add(item, path, "expected a table's name or a map of its settings");
        }
      }
    } else {
      out_.Add(node, path, "expected names of tables");
    }
  }

  void AddTable(const std::string& name, const ConfigNode* settings, const ConfigNode& at,
                const std::string& path) {
    CheckedConfiguration::Table table;
    table.pattern = name;
    table.line = at.line;
    if (name.empty()) out_.Add(at, path, "a table's name is empty");
    if (settings != nullptr) {
      // The name itself may hold dots; in the table of keys it is one element.
      const std::string element = absl::StrCat(path, ".*");
      Section(*settings, element, &table.settings, element + ".");
    }
    out_.tables.push_back(std::move(table));
  }

  void Scalar(const ConfigurationKey& key, const ConfigNode& node, const std::string& path) {
    if (!node.is_scalar()) {
      out_.Add(node, path, absl::StrCat("expected ", Expectation(key)));
      return;
    }
    if (!Fits(key, node)) {
      out_.Add(node, path,
               absl::StrCat("\"", node.text, "\" is not allowed; expected ", Expectation(key)));
      return;
    }
    if (*key.not_built != '\0' && OneOf(node.text, key.not_built)) {
      out_.Add(node, path, absl::StrCat(node.text, " is not built yet"), true);
    }
  }

  static std::string Expectation(const ConfigurationKey& key) {
    if (*key.choices != '\0') {
      return absl::StrCat("one of ", absl::StrReplaceAll(key.choices, {{"|", ", "}}));
    }
    std::string text = KeyTypeName(key.type);
    if (key.maximum > 0) absl::StrAppend(&text, " from ", key.minimum, " to ", key.maximum);
    if (key.type == KeyType::kDuration)
      absl::StrAppend(&text, " (\"5 minutes\", \"2h\", \"PT30M\")");
    if (key.type == KeyType::kBytes) absl::StrAppend(&text, " (\"256 MiB\")");
    return text;
  }

  static bool InRange(const ConfigurationKey& key, double number) {
    return key.maximum <= 0 || (number >= key.minimum && number <= key.maximum);
  }

  static bool Fits(const ConfigurationKey& key, const ConfigNode& node) {
    switch (key.type) {
      case KeyType::kInteger: {
        int64_t number = 0;
        return absl::SimpleAtoi(node.text, &number) && InRange(key, static_cast<double>(number));
      }
      case KeyType::kNumber: {
        double number = 0;
        return absl::SimpleAtod(node.text, &number) && std::isfinite(number) &&
               InRange(key, number);
      }
      case KeyType::kBoolean:
        return OneOf(node.text, "true|false");
      case KeyType::kDuration:
        return ParseCalendarDuration(node.text).ok();
      case KeyType::kBytes: {
        uint64_t bytes = 0;
        return ParseByteSize(node.text, &bytes);
      }
      default:
        return *key.choices == '\0' || OneOf(node.text, key.choices);
    }
  }

  const KeyTable keys_;
  CheckedConfiguration out_;
};

}  // namespace

const ConfigNode* CheckedConfiguration::Find(const std::string& path) const {
  const auto found = values.find(path);
  if (found == values.end() || found->second->kind == ConfigNode::Kind::kNull) return nullptr;
  return found->second;
}

void CheckedConfiguration::Add(const ConfigNode& node, std::string path, std::string text,
                               bool not_built) {
  problems.push_back({node.line, node.column, std::move(path), std::move(text), not_built});
}

CheckedConfiguration CheckConfiguration(const ConfigNode& root, KeyTable keys) {
  return Checker(keys).Run(root);
}

absl::Status ProblemsStatus(const std::string& file, std::vector<ConfigurationProblem> problems) {
  if (problems.empty()) return absl::OkStatus();
  for (size_t i = 0; i < problems.size(); ++i) problems[i].order = i;
  std::sort(problems.begin(), problems.end(),
            [](const ConfigurationProblem& a, const ConfigurationProblem& b) {
              return std::tie(a.line, a.column, a.order) < std::tie(b.line, b.column, b.order);
            });
  bool only_not_built = true;
  std::vector<std::string> lines;
  const ConfigurationProblem* before = nullptr;
  for (const ConfigurationProblem& problem : problems) {
    // The first finding about a value says enough.
    const bool again = before != nullptr && before->path == problem.path &&
                       before->line == problem.line && before->column == problem.column;
    before = &problem;
    if (again) continue;
    only_not_built = only_not_built && problem.not_built;
    lines.push_back(absl::StrCat(file, ":", problem.line, ":", problem.column, ": ", problem.path,
                                 problem.path.empty() ? "" : ": ", problem.text));
  }
  const std::string text = absl::StrJoin(lines, "\n");
  return AsUsage(only_not_built ? absl::UnimplementedError(text)
                                : absl::InvalidArgumentError(text));
}

bool ParseByteSize(absl::string_view text, uint64_t* bytes) {
  text = absl::StripAsciiWhitespace(text);
  size_t digits = 0;
  while (digits < text.size() &&
         (absl::ascii_isdigit(static_cast<unsigned char>(text[digits])) || text[digits] == '.')) {
    ++digits;
  }
  double number = 0;
  if (!absl::SimpleAtod(text.substr(0, digits), &number)) return false;
  const std::string unit = absl::AsciiStrToLower(absl::StripAsciiWhitespace(text.substr(digits)));
  static constexpr std::pair<const char*, double> kUnits[] = {
      {"", 1},     {"b", 1},        {"kb", 1e3},        {"mb", 1e6},
      {"gb", 1e9}, {"kib", 1024.0}, {"mib", 1048576.0}, {"gib", 1073741824.0}};
  for (const auto& [name, factor] : kUnits) {
    if (unit != name) continue;
    const double product = number * factor;
    if (product < 1 || product >= 1e18) return false;
    *bytes = static_cast<uint64_t>(product);
    return true;
  }
  return false;
}

}  // namespace tidemark
