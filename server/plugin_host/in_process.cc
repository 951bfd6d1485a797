#include "plugin_host/in_process.h"

#include <grpcpp/channel.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <cstdio>
#include <utility>

#include "absl/time/time.h"
#include "plugin_host/connector_service.h"
#include "plugin_host/plugin_library.h"
#include "wire/transport.h"

namespace tidemark {
namespace {

// As long as a child is given before it is killed.
constexpr absl::Duration kStopTimeout = absl::Seconds(30);

// Keeps the service until its last owner lets go.
class InProcessServer {
 public:
  explicit InProcessServer(std::shared_ptr<const PluginLibrary> library)
      : service_(std::make_unique<ConnectorService>(std::move(library))) {
    grpc::ServerBuilder builder;
    ConfigureServer(&builder);
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
    builder.RegisterService(service_->service());
    server_ = builder.BuildAndStart();
  }

  ~InProcessServer() {
    if (server_ == nullptr) return;
    if (service_->Stop(kStopTimeout)) {
      server_->Shutdown();
      return;
    }
    // A plugin that does not come back keeps its thread, its service and its memory until the
    // server ends: nothing may be taken from under it, and nobody can wait for it.
    std::fputs("a plugin in this process ignores that it was cancelled; restart the server\n",
               stderr);
    [[maybe_unused]] grpc::Server* stuck_server = server_.release();
    [[maybe_unused]] ConnectorService* stuck_service = service_.release();
  }

  std::shared_ptr<grpc::Channel> Connect() {
    if (server_ == nullptr) return nullptr;
    grpc::ChannelArguments arguments;
    ConfigureChannel(&arguments);
    return server_->InProcessChannel(arguments);
  }

 private:
  std::unique_ptr<ConnectorService> service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

absl::StatusOr<InProcessHost> ServeInProcess(const std::string& plugin_path) {
  absl::StatusOr<std::shared_ptr<const PluginLibrary>> library = PluginLibrary::Open(plugin_path);
  if (!library.ok()) return library.status();
  auto server = std::make_shared<InProcessServer>(*std::move(library));
  std::shared_ptr<grpc::Channel> channel = server->Connect();
  if (channel == nullptr) {
    return absl::InternalError("cannot start the Connector service in this process");
  }
  return InProcessHost{std::move(channel), std::move(server)};
}

}  // namespace tidemark
