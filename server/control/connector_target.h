// Which connector runs where: a plugin in a child or in this process, a Python file in a child, an
// address, or none, where programs push the rows.
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
  enum class Placement { kChild, kInProcess, kPython, kAddress, kPushed };
  Placement placement = Placement::kChild;
  std::string label;        // how messages call it
  std::string path;         // of the .so or .py file, or the address
  std::string host_binary;  // kChild
  std::string python;       // kPython: the interpreter
};

// What stands for a connector where programs push the rows (proto/tidemark/v1/ingest.proto).
inline constexpr char kPushedConnector[] = "ingest";

// `text`: "ingest", plugin id, path of a .so or .py, a folder with connector.py, grpc://HOST:PORT
// or unix:PATH; relative paths begin in `folder`. IsUsage() holds for every error.
absl::StatusOr<ConnectorTarget> ResolveConnector(const std::string& text, const std::string& folder,
                                                 bool in_process, const PluginSearch& search);

// What `ingest` is, as a connector describes itself.
ConnectorDescription PushedDescription();
// Why such a connection is not read: a usage error.
absl::Status OnlyPushed(const ConnectorTarget& target);

// A fresh instance, as ChangeSourceFactory wants it. OnlyPushed() for kPushed.
absl::StatusOr<std::unique_ptr<ChangeSource>> OpenConnector(const ConnectorTarget& target,
                                                            const ConnectorLaunch& launch);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_CONNECTOR_TARGET_H_
