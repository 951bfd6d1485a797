// What a connector says of itself, for people and programs. Pure functions.
#ifndef TIDEMARK_CONTROL_PLUGIN_DOCUMENTS_H_
#define TIDEMARK_CONTROL_PLUGIN_DOCUMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/schema.h"
#include "nlohmann/json.hpp"

namespace tidemark {

// Names of the bits of Capability: "table_state", "rewind", ...
std::vector<std::string> CapabilityNames(uint64_t bits);

// The document of `tidemark plugins show ID --json`; of `list` one of each plugin.
nlohmann::ordered_json PluginJson(const ConnectorDescription& description, const std::string& path);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_PLUGIN_DOCUMENTS_H_
