#include "source/connector_launch.h"

#include <grpc/grpc.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "source/connector_address.h"
#include "source/connector_child.h"
#include "source/connector_client.h"
#include "source/python_child.h"
#include "wire/call_status.h"
#include "wire/transport.h"

namespace tidemark {
namespace {

// gRPC shuts itself down with its last object, and may then wait 10 seconds for its backup poller
// (a write had to wait for its socket). One reference that is never given back prevents that.
void KeepGrpc() { [[maybe_unused]] static const bool kept = (grpc_init(), true); }

grpc::ChannelArguments ClientArguments() {
  KeepGrpc();
  grpc::ChannelArguments arguments;
  ConfigureChannel(&arguments);
  return arguments;
}

// Tries once: whoever configured the address wants to hear at once that nobody listens there.
absl::Status AwaitConnection(const ConnectorLaunch& launch,
                             const std::shared_ptr<grpc::Channel>& channel) {
  const auto deadline = absl::ToChronoTime(absl::Now() + launch.limits.describe);
  grpc_connectivity_state state = channel->GetState(/*try_to_connect=*/true);
  while (state != GRPC_CHANNEL_READY && state != GRPC_CHANNEL_TRANSIENT_FAILURE) {
    if (!channel->WaitForStateChange(state, deadline)) {
      return absl::FailedPreconditionError(
          absl::StrCat(launch.label, ": nothing answered within ",
                       absl::FormatDuration(launch.limits.describe)));
    }
    state = channel->GetState(true);
  }
  if (state == GRPC_CHANNEL_READY) return absl::OkStatus();
  // The state has no text; a call that fails for it has.
  grpc::ClientContext context;
  context.set_deadline(deadline);
  v1::DescribeResponse response;
  const grpc::Status status =
      v1::Connector::NewStub(channel)->Describe(&context, v1::DescribeRequest(), &response);
  if (status.ok()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(launch.label, ": cannot connect: ", StatusText(status.error_message()),
                   "; start the connector first"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ChangeSource>> LaunchChild(const ConnectorLaunch& launch,
                                                          const ChildPlacement& placement) {
  absl::StatusOr<std::unique_ptr<ConnectorChild>> child = ConnectorChild::Start(launch, placement);
  if (!child.ok()) return child.status();
  std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomInsecureChannelFromFd("plugin", (*child)->TakeSocket(), ClientArguments());
  return std::make_unique<ConnectorClient>(launch, std::move(channel), *std::move(child), nullptr,
                                           ConnectorClient::Peer::kChild);
}

absl::StatusOr<std::unique_ptr<ChangeSource>> LaunchPython(const ConnectorLaunch& launch,
                                                           const PythonPlacement& placement) {
  absl::StatusOr<PythonChild> started = StartPythonChild(launch, placement);
  if (!started.ok()) return started.status();
  std::shared_ptr<grpc::Channel> channel = grpc::CreateCustomChannel(
      started->address, grpc::InsecureChannelCredentials(), ClientArguments());
  return std::make_unique<ConnectorClient>(launch, std::move(channel), std::move(started->child),
                                           std::move(started->until_closed),
                                           ConnectorClient::Peer::kChild);
}

absl::StatusOr<std::unique_ptr<ChangeSource>> ConnectAddress(const ConnectorLaunch& launch,
                                                             const std::string& address) {
  const absl::StatusOr<std::string> target = GrpcTarget(address);
  if (!target.ok()) return target.status();
  std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomChannel(*target, grpc::InsecureChannelCredentials(), ClientArguments());
  if (absl::Status status = AwaitConnection(launch, channel); !status.ok()) return status;
  return std::make_unique<ConnectorClient>(launch, std::move(channel), nullptr, nullptr,
                                           ConnectorClient::Peer::kAddress);
}

absl::StatusOr<std::unique_ptr<ChangeSource>> ConnectChannel(const ConnectorLaunch& launch,
                                                             std::shared_ptr<grpc::Channel> channel,
                                                             std::shared_ptr<void> owner) {
  return std::make_unique<ConnectorClient>(launch, std::move(channel), nullptr, std::move(owner),
                                           ConnectorClient::Peer::kInProcess);
}

}  // namespace tidemark
