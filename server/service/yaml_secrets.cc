#include "service/yaml_secrets.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "control/config_node.h"
#include "control/configuration_keys.h"
#include "control/references.h"
#include "control/yaml_text.h"

namespace tidemark {
namespace {

constexpr char kHidden[] = "\"***\"";
constexpr char kNotShown[] =
    "# Not shown: it is no YAML, or its secrets cannot be told from the rest of it.\n";
constexpr size_t kShortestTold = 4;  // bytes; shorter texts occur by chance

// One scalar to hide.
struct Secret {
  int line = 0;       // from 1
  int column = 0;     // from 1
  size_t indent = 0;  // of its key: what is indented more belongs to it
  std::string text;
};

bool IsReference(absl::string_view text) {
  return absl::StartsWith(text, "${") && text.find('}') == text.size() - 1;
}

// Whether the value of a key holds a secret. What the table of keys names is none (`primary_key`),
// but for the addresses of a source and of a storage.
bool HoldsSecret(const std::string& path, const ConfigNode::Entry& entry) {
  if (const ConfigurationKey* key = FindConfigurationKey(path);
      key != nullptr && key->type != KeyType::kAny) {
    return path == "sync.source.connection" || path == "state.storage.connection";
  }
  return NamesSecret(entry.key);
}

void Collect(const ConfigNode& node, const std::string& path, bool secret, size_t indent,
             std::vector<Secret>* found) {
  if (node.is_scalar()) {
    if (secret && !node.text.empty() && !IsReference(node.text)) {
      found->push_back({node.line, node.column, indent, node.text});
    }
    return;
  }
  for (const ConfigNode& item : node.items) Collect(item, path, secret, indent, found);
  for (const ConfigNode::Entry& entry : node.entries) {
    const std::string below = path.empty() ? entry.key : absl::StrCat(path, ".", entry.key);
    Collect(entry.value, below, secret || HoldsSecret(below, entry),
            static_cast<size_t>(std::max(entry.column, 1)) - 1, found);
  }
}

// Behind the closing quote of the text that begins at `from`, or npos: it ends on another line.
size_t EndOfQuoted(const std::string& line, size_t from) {
  const char quote = line[from];
  for (size_t i = from + 1; i < line.size(); ++i) {
    if (quote == '"' && line[i] == '\\') {
      ++i;
    } else if (line[i] == quote) {
      if (quote != '\'' || i + 1 >= line.size() || line[i + 1] != '\'') return i + 1;
      ++i;
    }
  }
  return std::string::npos;
}

size_t IndentOf(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// Hides one scalar; the lines that a longer one goes on over are emptied.
bool Hide(const Secret& secret, std::vector<std::string>* lines) {
  const size_t number = static_cast<size_t>(secret.line);
  if (secret.line < 1 || secret.column < 1 || number > lines->size()) return false;
  std::string& line = (*lines)[number - 1];
  const size_t from = static_cast<size_t>(secret.column) - 1;
  if (from >= line.size()) return false;
  size_t end = std::string::npos;
  if (line[from] == '"' || line[from] == '\'') {
    end = EndOfQuoted(line, from);
  } else if (absl::StartsWith(absl::string_view(line).substr(from), secret.text)) {
    end = from + secret.text.size();
  }
  if (end != std::string::npos) {
    line.replace(from, end - from, kHidden);
    return true;
  }
  line.replace(from, std::string::npos, kHidden);
  for (size_t i = number; i < lines->size(); ++i) {
    std::string& next = (*lines)[i];
    const bool blank = absl::StripAsciiWhitespace(next).empty();
    if (!blank && IndentOf(next) <= secret.indent) break;
    next.clear();
  }
  return true;
}

}  // namespace

std::string WithoutSecrets(absl::string_view yaml) {
  const absl::StatusOr<ConfigNode> root = ParseYaml("definition", yaml);
  if (!root.ok()) return kNotShown;
  std::vector<Secret> found;
  Collect(*root, "", false, 0, &found);
  // From the end, so that positions before stay right.
  std::stable_sort(found.begin(), found.end(), [](const Secret& a, const Secret& b) {
    return a.line != b.line ? a.line > b.line : a.column > b.column;
  });
  std::vector<std::string> lines = absl::StrSplit(yaml, '\n');
  const Secret* last = nullptr;
  for (const Secret& secret : found) {
    // An alias stands for its anchor, and names the anchor's place.
    const bool again =
        last != nullptr && last->line == secret.line && last->column == secret.column;
    if (!again && !Hide(secret, &lines)) return kNotShown;
    last = &secret;
  }
  std::string shown = absl::StrJoin(lines, "\n");
  for (const Secret& secret : found) {
    if (secret.text.size() >= kShortestTold && absl::StrContains(shown, secret.text)) {
      return kNotShown;
    }
  }
  return shown;
}

}  // namespace tidemark
