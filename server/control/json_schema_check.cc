#include "control/json_schema_check.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/config_node.h"
#include "control/configuration_keys.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

const Json* Member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::string Text(const Json& value) {
  const std::string* text = value.get_ptr<const std::string*>();
  return text == nullptr ? DumpJson(value, -1) : *text;
}

bool HasType(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "null") return value.is_null();
  return true;
}

bool CheckType(const Json& schema, const Json& value, const std::string& path,
               std::vector<std::string>* problems) {
  const Json* type = Member(schema, "type");
  if (type == nullptr) return true;
  std::vector<std::string> allowed;
  if (type->is_string()) allowed.push_back(Text(*type));
  if (type->is_array()) {
    for (const Json& item : *type) allowed.push_back(Text(item));
  }
  for (const std::string& name : allowed) {
    if (HasType(value, name)) return true;
  }
  problems->push_back(absl::StrCat(path, ": expected ", absl::StrJoin(allowed, " or "), ", not ",
                                   value.type_name()));
  return false;
}

void CheckObject(const Json& schema, const Json& value, const std::string& path,
                 std::vector<std::string>* problems) {
  if (const Json* required = Member(schema, "required"); required != nullptr) {
    for (const Json& name : *required) {
      if (Member(value, Text(name).c_str()) == nullptr) {
        problems->push_back(absl::StrCat(path, ": \"", Text(name), "\" is missing"));
      }
    }
  }
  const Json* properties = Member(schema, "properties");
  const Json* additional = Member(schema, "additionalProperties");
  std::vector<std::string> known;
  if (properties != nullptr) {
    for (const auto& property : properties->items()) known.push_back(property.key());
  }
  for (const auto& member : value.items()) {
    const std::string below = absl::StrCat(path, ".", member.key());
    const Json* property =
        properties == nullptr ? nullptr : Member(*properties, member.key().c_str());
    if (property != nullptr) {
      CheckJsonSchema(*property, member.value(), below, problems);
    } else if (additional != nullptr && additional->is_object()) {
      CheckJsonSchema(*additional, member.value(), below, problems);
    } else if (additional != nullptr && *additional == false) {
      const std::string nearest = NearestName(member.key(), known);
      problems->push_back(absl::StrCat(path, ": unknown key \"", member.key(), "\"; ",
                                       nearest.empty()
                                           ? absl::StrCat("allowed: ", absl::StrJoin(known, ", "))
                                           : absl::StrCat("did you mean \"", nearest, "\"?")));
    }
  }
}

}  // namespace

void CheckJsonSchema(const Json& schema, const Json& value, const std::string& path,
                     std::vector<std::string>* problems) {
  if (!schema.is_object() || !CheckType(schema, value, path, problems)) return;
  if (const Json* choices = Member(schema, "enum"); choices != nullptr) {
    bool found = false;
    std::vector<std::string> texts;
    for (const Json& choice : *choices) {
      found = found || choice == value;
      texts.push_back(Text(choice));
    }
    if (!found) {
      problems->push_back(absl::StrCat(path, ": expected one of ", absl::StrJoin(texts, ", ")));
    }
  }
  if (value.is_object()) CheckObject(schema, value, path, problems);
  const Json* items = Member(schema, "items");
  if (value.is_array() && items != nullptr) {
    size_t index = 0;
    for (const Json& item : value) {
      CheckJsonSchema(*items, item, absl::StrCat(path, "[", index++, "]"), problems);
    }
  }
}

void CollectSecrets(const Json& schema, const Json& value, std::vector<std::string>* secrets) {
  const Json* secret = Member(schema, "x-secret");
  if (secret != nullptr && *secret == true) {
    if (!value.is_structured()) {
      if (!value.is_null() && !value.is_boolean()) secrets->push_back(Text(value));
      return;
    }
    for (const Json& member : value) CollectSecrets(schema, member, secrets);
    return;
  }
  if (value.is_object()) {
    const Json* properties = Member(schema, "properties");
    const Json* additional = Member(schema, "additionalProperties");
    for (const auto& member : value.items()) {
      const Json* property =
          properties == nullptr ? nullptr : Member(*properties, member.key().c_str());
      if (property == nullptr) property = additional;
      if (property != nullptr) CollectSecrets(*property, member.value(), secrets);
    }
  }
  const Json* items = Member(schema, "items");
  if (value.is_array() && items != nullptr) {
    for (const Json& item : value) CollectSecrets(*items, item, secrets);
  }
}

}  // namespace tidemark
