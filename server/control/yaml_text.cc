#include "control/yaml_text.h"

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/text.h"
#include "yaml-cpp/yaml.h"

namespace tidemark {
namespace {

constexpr size_t kMaxNodes = 100'000;
constexpr size_t kMaxText = 16 * 1024 * 1024;  // bytes of all keys and values
constexpr int kMaxDepth = 64;

absl::Status At(absl::string_view label, int line, int column, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(label, ":", line, ":", column, ": ", text));
}

// The alternatives of `"a" | "b"`, or nothing. `value` is what follows "key:".
std::vector<std::string> PastedChoice(absl::string_view value) {
  std::vector<std::string> choices;
  while (true) {
    value = absl::StripLeadingAsciiWhitespace(value);
    if (value.empty() || value[0] != '"') return {};
    const size_t close = value.find('"', 1);
    if (close == absl::string_view::npos) return {};
    choices.emplace_back(value.substr(1, close - 1));
    value = absl::StripLeadingAsciiWhitespace(value.substr(close + 1));
    if (value.empty() || value[0] == '#') break;
    if (value[0] != '|') return {};
    value.remove_prefix(1);
  }
  return choices.size() > 1 ? choices : std::vector<std::string>();
}

// The documents that describe the format write every alternative in one line; a pasted line is
// no YAML, and the parser's own words would not help.
absl::Status RefusePastedChoices(absl::string_view label, absl::string_view text) {
  std::vector<std::string> problems;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    const size_t colon = line.find(": ");
    if (colon == absl::string_view::npos) continue;
    const std::vector<std::string> choices = PastedChoice(line.substr(colon + 2));
    if (choices.empty()) continue;
    problems.push_back(
        absl::StrCat(label, ": line ", number, ": choose one of ", absl::StrJoin(choices, ", ")));
  }
  if (problems.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(problems, "\n"));
}

// The parser would take UTF-16 and bytes of any kind.
absl::Status RefuseBytes(absl::string_view label, absl::string_view text) {
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    if (!IsUtf8(line) || HasNul(line)) {
      return At(label, number, 1, "this is no text in UTF-8; save the file as UTF-8");
    }
  }
  return absl::OkStatus();
}

class Converter {
 public:
  explicit Converter(absl::string_view label) : label_(label) {}

  absl::StatusOr<ConfigNode> Convert(const YAML::Node& from, int depth) {
    const YAML::Mark mark = from.Mark();
    ConfigNode node;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    if (depth > kMaxDepth) return At(label_, node.line, node.column, "nested too deeply");
    if (++nodes_ > kMaxNodes) return At(label_, node.line, node.column, "too many values");
    if (from.IsScalar()) {
      bytes_ += from.Scalar().size();
      if (bytes_ > kMaxText) return At(label_, node.line, node.column, "too much text");
      node.kind = ConfigNode::Kind::kScalar;
      node.text = from.Scalar();
      // yaml-cpp gives quoted scalars, and only them, the non-specific tag "!".
      node.quoted = from.Tag() == "!";
      return node;
    }
    if (from.IsSequence()) return List(from, depth, std::move(node));
    if (from.IsMap()) return Map(from, depth, std::move(node));
    return node;
  }

 private:
  absl::StatusOr<ConfigNode> List(const YAML::Node& from, int depth, ConfigNode node) {
    node.kind = ConfigNode::Kind::kList;
    for (const YAML::Node& item : from) {
      absl::StatusOr<ConfigNode> converted = Convert(item, depth + 1);
      if (!converted.ok()) return converted;
      node.items.push_back(*std::move(converted));
    }
    return node;
  }

  absl::StatusOr<ConfigNode> Map(const YAML::Node& from, int depth, ConfigNode node) {
    node.kind = ConfigNode::Kind::kMap;
    std::set<std::string> seen;
    for (const auto& pair : from) {
      const YAML::Mark mark = pair.first.Mark();
      if (!pair.first.IsScalar()) {
        return At(label_, mark.line + 1, mark.column + 1, "a key must be text");
      }
      ConfigNode::Entry entry;
      entry.key = pair.first.Scalar();
      bytes_ += entry.key.size();
      entry.line = mark.line + 1;
      entry.column = mark.column + 1;
      if (!seen.insert(entry.key).second) {
        return At(label_, entry.line, entry.column,
                  absl::StrCat("key \"", entry.key, "\" is given twice"));
      }
      absl::StatusOr<ConfigNode> converted = Convert(pair.second, depth + 1);
      if (!converted.ok()) return converted.status();
      entry.value = *std::move(converted);
      node.entries.push_back(std::move(entry));
    }
    return node;
  }

  const absl::string_view label_;
  size_t nodes_ = 0;
  size_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<ConfigNode> ParseYaml(absl::string_view label, absl::string_view text) {
  if (!IsUtf8(text) || HasNul(text)) return RefuseBytes(label, text);
  if (absl::Status status = RefusePastedChoices(label, text); !status.ok()) return status;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(text));
    if (documents.empty()) return ConfigNode();
    if (documents.size() > 1) {
      return At(label, documents[1].Mark().line + 1, 1, "a second document: write one file each");
    }
    return Converter(label).Convert(documents[0], 0);
  } catch (const YAML::Exception& error) {
    return At(label, error.mark.line + 1, error.mark.column + 1,
              absl::StrCat("this is no YAML: ", error.msg));
  }
}

}  // namespace tidemark
