// Which connector runs where: a plugin in a child or in this process, or an address.
#ifndef TIDEMARK_CONTROL_CONNECTOR_TARGET_H_
#define TIDEMARK_CONTROL_CONNECTOR_TARGET_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "control/plugin_search.h"
#include "pipeline/change_source.h"
#include "source/connector_launch.h"

namespace tidemark {

struct ConnectorTarget {
  enum class Placement { kChild, kInProcess, kAddress };
  Placement placement = Placement::kChild;
  std::string label;        // how messages call it
  std::string path;         // of the .so, or the address
  std::string host_binary;  // kChild
};

// `text`: plugin id, path of a .so, grpc://HOST:PORT or unix:PATH; relative paths begin in
// `folder`. A folder with connector.py is refused by name (UNIMPLEMENTED). IsUsage() holds for
// every error.
absl::StatusOr<ConnectorTarget> ResolveConnector(const std::string& text, const std::string& folder,
                                                 bool in_process, const PluginSearch& search);

// A fresh instance, as ChangeSourceFactory wants it.
absl::StatusOr<std::unique_ptr<ChangeSource>> OpenConnector(const ConnectorTarget& target,
                                                            const ConnectorLaunch& launch);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_CONNECTOR_TARGET_H_
