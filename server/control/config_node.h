// Configuration text as a tree that remembers where each part stood.
#ifndef TIDEMARK_CONTROL_CONFIG_NODE_H_
#define TIDEMARK_CONTROL_CONFIG_NODE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace tidemark {

// A value type. Lines and columns count from 1; 0: not known.
struct ConfigNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Entry;

  Kind kind = Kind::kNull;
  std::string text;     // kScalar only
  bool quoted = false;  // kScalar: quoted text is never a number or a boolean
  int line = 0;
  int column = 0;
  std::vector<ConfigNode> items;  // kList only
  std::vector<Entry> entries;     // kMap only, in the order of the file

  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_map() const { return kind == Kind::kMap; }
  // The value of `key`, or null. The pointer lives as long as this node is not changed.
  const ConfigNode* Find(absl::string_view key) const;
};

struct ConfigNode::Entry {
  std::string key;
  int line = 0;
  int column = 0;
  ConfigNode value;
};

// Scalars that are not quoted become null, booleans, integers or numbers where they read as such
// (YAML 1.2, core schema).
nlohmann::ordered_json ToJson(const ConfigNode& node);
ConfigNode FromJson(const nlohmann::ordered_json& value);

// One JSON document. INVALID_ARGUMENT names `label`, line and column.
absl::StatusOr<ConfigNode> ParseJsonText(absl::string_view label, absl::string_view text);

// JSON as text; bytes that are not UTF-8 become U+FFFD. `indent` -1: one line.
std::string DumpJson(const nlohmann::ordered_json& value, int indent);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_CONFIG_NODE_H_
