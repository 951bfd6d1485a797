// Serves one plugin inside this process, over an in-process gRPC channel: the placement
// `isolation: in_process` for trusted plugins.
#ifndef TIDEMARK_PLUGIN_HOST_IN_PROCESS_H_
#define TIDEMARK_PLUGIN_HOST_IN_PROCESS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace grpc {
class Channel;
}

namespace tidemark {

struct InProcessHost {
  std::shared_ptr<grpc::Channel> channel;
  std::shared_ptr<void> owner;  // shuts the service down; two owners: the source and its maker
};

// Loads the library (never unloaded) and serves the same Connector service as the child. Errors
// name the path and what is wrong with the plugin.
absl::StatusOr<InProcessHost> ServeInProcess(const std::string& plugin_path);

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_IN_PROCESS_H_
