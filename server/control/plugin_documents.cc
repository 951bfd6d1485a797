#include "control/plugin_documents.h"

#include <utility>

namespace tidemark {

using Json = nlohmann::ordered_json;

std::vector<std::string> CapabilityNames(uint64_t bits) {
  static constexpr std::pair<uint64_t, const char*> kNames[] = {
      {kCanTableState, "table_state"},
      {kCanRewind, "rewind"},
      {kNeedsNetwork, "network"},
      {kNeedsFiles, "files"},
      {kSourceTransactions, "source_transactions"}};
  std::vector<std::string> names;
  for (const auto& [bit, name] : kNames) {
    if ((bits & bit) != 0) names.emplace_back(name);
  }
  return names;
}

Json PluginJson(const ConnectorDescription& description, const std::string& path) {
  Json options = Json::array();
  for (const ConnectorDescription::Option& option : description.options) {
    Json json = {{"name", option.name},
                 {"type", std::string(DataTypeName(option.type))},
                 {"required", option.required},
                 {"secret", option.secret},
                 {"reads_path", option.reads_path},
                 {"writes_path", option.writes_path},
                 {"help", option.help}};
    if (!option.default_value.empty()) json["default"] = option.default_value;
    if (!option.choices.empty()) json["choices"] = option.choices;
    if (!option.json_schema.empty()) {
      json["json_schema"] = Json::parse(option.json_schema, nullptr, false);
    }
    options.push_back(std::move(json));
  }
  return {{"id", description.id},
          {"version", description.version},
          {"description", description.description},
          {"path", path},
          {"capabilities", CapabilityNames(description.capabilities)},
          {"extensions", description.extensions},
          {"state_format", description.state_format},
          {"options", std::move(options)}};
}

}  // namespace tidemark
