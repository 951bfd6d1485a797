// The JSON Schema of a connection file, and what one key means, from the table of keys.
#ifndef TIDEMARK_CONTROL_CONFIGURATION_SCHEMA_H_
#define TIDEMARK_CONTROL_CONFIGURATION_SCHEMA_H_

#include <string>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace tidemark {

// JSON Schema, draft 2020-12; editors complete connection files from it.
nlohmann::ordered_json ConfigurationSchema();

// "KEY: type, values, default, meaning, what is not built", of a full path or of its unique last
// part. NOT_FOUND names the nearest.
absl::StatusOr<std::string> ExplainKey(const std::string& key);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_CONFIGURATION_SCHEMA_H_
