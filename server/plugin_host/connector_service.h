// The Connector service (proto/tidemark/v1/connector.proto) over one plugin.
#ifndef TIDEMARK_PLUGIN_HOST_CONNECTOR_SERVICE_H_
#define TIDEMARK_PLUGIN_HOST_CONNECTOR_SERVICE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace grpc {
class Service;
}

namespace tidemark {

class PluginLibrary;

// Thread-safe. Check, Schema and ValidateState share one instance as long as the configuration
// stays the same, one call at a time; Update takes that instance (or makes its own), gives it its
// schema, and destroys it at the end, so that each attempt starts from a fresh one. Read leaves the
// shared instance where it is, unless it had to interrupt it. Describe answers at any time.
class ConnectorService {
 public:
  // A plugin that could not be loaded is served too: each call answers why, so that the reason
  // reaches the user as a status and not as a process that ended.
  explicit ConnectorService(absl::StatusOr<std::shared_ptr<const PluginLibrary>> library);
  ~ConnectorService();
  ConnectorService(const ConnectorService&) = delete;
  ConnectorService& operator=(const ConnectorService&) = delete;

  grpc::Service* service();

  // Cancels each Update, waits at most `timeout` for the plugin to obey and destroys its instance.
  // False: some call is still inside the plugin, which must stay where it is.
  bool Stop(absl::Duration timeout);

 private:
  class Implementation;
  const std::unique_ptr<Implementation> implementation_;
};

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_CONNECTOR_SERVICE_H_
