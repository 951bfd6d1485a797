#include "service/definition_text.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "control/config_node.h"
#include "control/configuration_keys.h"
#include "control/redaction.h"
#include "control/references.h"
#include "control/yaml_text.h"
#include "core/text.h"

namespace tidemark {
namespace {

constexpr size_t kMaxLines = 200;
constexpr size_t kMaxValue = 120;  // bytes
constexpr char kHidden[] = "***";

bool IsReference(absl::string_view text) {
  return absl::StartsWith(text, "${") && text.find('}') == text.size() - 1;
}

// "api_key" and "Authorization", but not "primary_key".
bool NamesSecretOption(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  if (absl::EndsWith(lower, "primary_key") || absl::EndsWith(lower, "key_column")) return false;
  return NamesSecret(lower) || absl::StrContains(lower, "auth") ||
         absl::StrContains(lower, "passphrase") || absl::StrContains(lower, "cookie");
}

// Whether the value at `path` may be a secret as a whole.
bool MayBeSecret(absl::string_view path) {
  if (path == "sync.source.connection" || path == "state.storage.connection") return true;
  if (!absl::StartsWith(path, "sync.source.config.")) return false;
  for (absl::string_view name : absl::StrSplit(path.substr(19), '.')) {
    if (NamesSecretOption(name)) return true;
  }
  return false;
}

// The value as it may be shown.
std::string Shown(absl::string_view path, absl::string_view text) {
  if (text.empty() || IsReference(text)) return std::string(text);
  if (MayBeSecret(path)) return kHidden;
  return Redactor().Apply(text);  // passwords of URLs
}

struct Leaf {
  std::string text;   // compared
  std::string shown;  // printed
};

std::string Printable(const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return !absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
  std::string shown(CutUtf8(text, kMaxValue));
  if (shown.size() < text.size()) absl::StrAppend(&shown, "...");
  if (plain && !text.empty()) return shown;
  std::string quoted;
  AppendJsonString(shown, &quoted);
  return quoted;
}

// Every scalar, and every list of scalars as one value, by its dotted path.
void AddLeaves(const ConfigNode& node, const std::string& path, std::map<std::string, Leaf>* out) {
  if (node.kind == ConfigNode::Kind::kNull) return;  // as if the key were not there
  if (node.is_map()) {
    for (const ConfigNode::Entry& entry : node.entries) {
      AddLeaves(entry.value, path.empty() ? entry.key : absl::StrCat(path, ".", entry.key), out);
    }
    return;
  }
  const bool nested = std::any_of(node.items.begin(), node.items.end(),
                                  [](const ConfigNode& item) { return !item.is_scalar(); });
  if (node.is_list() && nested) {
    for (size_t i = 0; i < node.items.size(); ++i) {
      AddLeaves(node.items[i], absl::StrCat(path, "[", i, "]"), out);
    }
    return;
  }
  Leaf leaf;
  if (node.is_scalar()) {
    leaf.text = node.text;
    leaf.shown = Printable(Shown(path, node.text));
  } else {
    ConfigNode shown = node;
    for (ConfigNode& item : shown.items) item.text = Shown(path, item.text);
    leaf.text = DumpJson(ToJson(node), -1);
    leaf.shown = Printable(DumpJson(ToJson(shown), -1));
  }
  (*out)[path] = std::move(leaf);
}

std::map<std::string, Leaf> Leaves(absl::string_view yaml) {
  std::map<std::string, Leaf> leaves;
  const absl::StatusOr<ConfigNode> root = ParseYaml("", yaml);
  if (root.ok() && root->is_map()) AddLeaves(*root, "", &leaves);
  return leaves;
}

std::string NotSet(const std::string& path) {
  const ConfigurationKey* key = FindConfigurationKey(path);
  if (key == nullptr || *key->default_value == '\0') return "not set";
  return absl::StrCat(key->default_value, " (default)");
}

}  // namespace

std::vector<std::string> DefinitionChanges(absl::string_view before, absl::string_view after) {
  const std::map<std::string, Leaf> old_leaves = Leaves(before);
  const std::map<std::string, Leaf> new_leaves = Leaves(after);
  std::set<std::string> paths;
  for (const auto& [path, leaf] : old_leaves) paths.insert(path);
  for (const auto& [path, leaf] : new_leaves) paths.insert(path);
  std::vector<std::string> lines;
  size_t others = 0;
  for (const std::string& path : paths) {
    const auto old_leaf = old_leaves.find(path);
    const auto new_leaf = new_leaves.find(path);
    const bool had = old_leaf != old_leaves.end();
    const bool has = new_leaf != new_leaves.end();
    if (had && has && old_leaf->second.text == new_leaf->second.text) continue;
    if (lines.size() >= kMaxLines) {
      ++others;
      continue;
    }
    lines.push_back(absl::StrCat(path, ": ", had ? old_leaf->second.shown : NotSet(path), " -> ",
                                 has ? new_leaf->second.shown : NotSet(path)));
  }
  if (others > 0) lines.push_back(absl::StrCat("and ", others, " more"));
  return lines;
}

}  // namespace tidemark
