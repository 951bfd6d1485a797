#include "control/configuration_schema.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "control/configuration_keys.h"
#include "control/exit_code.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

Json ListOf(const char* type) {
  return {{"anyOf", {{{"type", type}}, {{"type", "array"}, {"items", {{"type", type}}}}}}};
}

Json KeySchema(const ConfigurationKey& key) {
  Json json;
  switch (key.type) {
    case KeyType::kSection:
      json = {{"type", {"object", "null"}},
              {"additionalProperties", false},
              {"properties", Json::object()}};
      break;
    case KeyType::kInteger:
      json = {{"type", "integer"}};
      break;
    case KeyType::kNumber:
      json = {{"type", "number"}};
      break;
    case KeyType::kBoolean:
      json = {{"type", "boolean"}};
      break;
    case KeyType::kBytes:
    case KeyType::kDuration:
    case KeyType::kText:
      json = {{"type", {"string", "number"}}};
      break;
    case KeyType::kTextList:
      json = ListOf("string");
      break;
    case KeyType::kTextMap:
      json = {{"type", "object"}, {"additionalProperties", {{"type", "string"}}}};
      break;
    case KeyType::kIntegerMap:
      json = {{"type", "object"}, {"additionalProperties", {{"type", "integer"}}}};
      break;
    case KeyType::kAny:
      json = {{"type", {"object", "null"}}};
      break;
    case KeyType::kAnything:
    case KeyType::kTables:
    case KeyType::kList:
      json = Json::object();  // the items are filled in below
      break;
  }
  if (key.maximum > 0) {
    json["minimum"] = key.minimum;
    json["maximum"] = key.maximum;
  }
  if (*key.choices != '\0') {
    json = {{"enum", std::vector<std::string>(absl::StrSplit(key.choices, '|'))}};
  }
  std::string meaning = key.meaning;
  if (absl::string_view(key.not_built) == "*") {
    absl::StrAppend(&meaning, " Not built yet.");
  } else if (*key.not_built != '\0') {
    absl::StrAppend(&meaning, " Not built yet: ", absl::StrReplaceAll(key.not_built, {{"|", ", "}}),
                    ".");
  }
  json["description"] = meaning;
  return json;
}

// The object that holds the properties of the section `path`.
Json* SectionOf(Json* root, const std::vector<absl::string_view>& path) {
  Json* at = root;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    absl::string_view name = path[i];
    const bool list = absl::EndsWith(name, "[]");
    if (list) name.remove_suffix(2);
    if (name == "*") continue;  // the tables' node is already the settings' object
    at = &(*at)["properties"][std::string(name)];
    if (list) at = &(*at)["items"];
    if (i + 1 < path.size() - 1 && path[i + 1] == "*") at = &(*at)["$tables"];
  }
  return at;
}

// A list of names and maps, or a map, from the settings collected under "$tables".
void FinishTables(Json* node) {
  Json settings = {{"type", {"object", "null"}},
                   {"additionalProperties", false},
                   {"properties", (*node)["$tables"]["properties"]}};
  const Json map = {{"type", "object"}, {"additionalProperties", settings}};
  const std::string description = (*node)["description"].get<std::string>();
  *node = {{"description", description},
           {"anyOf",
            {{{"type", "string"}},
             {{"type", "array"}, {"items", {{"anyOf", {{{"type", "string"}}, map}}}}},
             map}}};
}

std::string Explanation(const ConfigurationKey& key) {
  std::string text =
      absl::StrCat(key.path, "\n  ", key.meaning, "\n  type: ", KeyTypeName(key.type), "\n");
  if (*key.choices != '\0') {
    absl::StrAppend(&text, "  values: ", absl::StrReplaceAll(key.choices, {{"|", ", "}}), "\n");
  }
  if (key.maximum > 0) {
    absl::StrAppend(&text, "  range: ", key.minimum, " to ", key.maximum, "\n");
  }
  if (*key.default_value != '\0') absl::StrAppend(&text, "  default: ", key.default_value, "\n");
  if (absl::string_view(key.not_built) == "*") {
    absl::StrAppend(&text, "  not built yet: refused when given\n");
  } else if (*key.not_built != '\0') {
    absl::StrAppend(&text, "  not built yet: ", absl::StrReplaceAll(key.not_built, {{"|", ", "}}),
                    "\n");
  }
  const std::vector<std::string> below = KeysBelow(key.path);
  if (!below.empty()) absl::StrAppend(&text, "  keys: ", absl::StrJoin(below, ", "), "\n");
  return text;
}

}  // namespace

Json ConfigurationSchema() {
  Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", "Tidemark connection"},
               {"type", "object"},
               {"additionalProperties", false},
               {"required", {"sync"}},
               {"properties", Json::object()}};
  for (const ConfigurationKey& key : ConfigurationKeys()) {
    const std::vector<absl::string_view> path = absl::StrSplit(key.path, '.');
    Json* section = SectionOf(&root, path);
    (*section)["properties"][std::string(path.back())] = KeySchema(key);
    if (key.type == KeyType::kList) {
      Json& node = (*section)["properties"][std::string(path.back())];
      node["type"] = "array";
      node["items"] = {{"type", "object"}, {"additionalProperties", false}};
    }
  }
  FinishTables(&root["properties"]["sync"]["properties"]["source"]["properties"]["tables"]);
  return root;
}

absl::StatusOr<std::string> ExplainKey(const std::string& name) {
  if (const ConfigurationKey* key = FindConfigurationKey(name); key != nullptr) {
    return Explanation(*key);
  }
  const std::vector<std::string> ending = PathsEndingIn(name);
  if (!ending.empty()) {
    std::string text;
    for (const std::string& path : ending) {
      absl::StrAppend(&text, Explanation(*FindConfigurationKey(path)));
    }
    return text;
  }
  std::vector<std::string> candidates;
  for (const ConfigurationKey& key : ConfigurationKeys()) {
    candidates.emplace_back(key.path);
    candidates.emplace_back(std::vector<std::string>(absl::StrSplit(key.path, '.')).back());
  }
  const std::string nearest = NearestName(name, candidates);
  return AsUsage(absl::NotFoundError(
      absl::StrCat("there is no key \"", name, "\"",
                   nearest.empty() ? "; `tidemark schema` lists all of them"
                                   : absl::StrCat("; did you mean \"", nearest, "\"?"))));
}

}  // namespace tidemark
