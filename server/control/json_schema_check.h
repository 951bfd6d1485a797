// The part of JSON Schema (draft 2020-12: type, required, properties, additionalProperties, items,
// enum) that connectors use for their list and object options.
#ifndef TIDEMARK_CONTROL_JSON_SCHEMA_CHECK_H_
#define TIDEMARK_CONTROL_JSON_SCHEMA_CHECK_H_

#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace tidemark {

// Appends "PATH: what is wrong" per finding. `path` names the value. Other keywords of `schema`
// are ignored.
void CheckJsonSchema(const nlohmann::ordered_json& schema, const nlohmann::ordered_json& value,
                     const std::string& path, std::vector<std::string>* problems);

// Appends every text below a member that `schema` marks "x-secret": true.
void CollectSecrets(const nlohmann::ordered_json& schema, const nlohmann::ordered_json& value,
                    std::vector<std::string>* secrets);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_JSON_SCHEMA_CHECK_H_
