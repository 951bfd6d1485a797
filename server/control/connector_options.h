// From a connection's configuration to the settings a connector declared.
#ifndef TIDEMARK_CONTROL_CONNECTOR_OPTIONS_H_
#define TIDEMARK_CONTROL_CONNECTOR_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/connection.h"
#include "core/schema.h"
#include "core/setting.h"

namespace tidemark {

// Holds secrets.
struct ConnectorSettings {
  std::vector<Setting> settings;
  std::vector<std::string> secrets;  // values of secret options, for Redactor::AddSecret
};

// Checks names, types, choices, required options and JSON schemas, fills defaults and the reserved
// names (connection, cdc_method, cdc.*). `file` is how errors call the place of the configuration.
// Errors hold no values of secret options and IsUsage() is true for them.
absl::StatusOr<ConnectorSettings> CheckConnectorSettings(const ConnectorDescription& description,
                                                         const SourceSettings& source,
                                                         const std::string& file);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_CONNECTOR_OPTIONS_H_
