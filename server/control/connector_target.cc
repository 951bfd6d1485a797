#include "control/connector_target.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "control/exit_code.h"
#include "core/status_context.h"
#include "plugin_host/in_process.h"

namespace tidemark {
namespace {

absl::StatusOr<ConnectorDescription> DescribeFile(const PluginSearch& search,
                                                  const std::string& path) {
  ConnectorLaunch launch;
  launch.label = absl::StrCat("plugin ", path);
  absl::StatusOr<std::unique_ptr<ChangeSource>> source =
      LaunchChild(launch, {search.host_binary, path});
  if (!source.ok()) return source.status();
  return (*source)->Describe();
}

bool IsAddress(absl::string_view text) {
  return absl::StartsWith(text, "grpc://") || absl::StartsWith(text, "unix:");
}

}  // namespace

absl::StatusOr<ConnectorTarget> ResolveConnector(const std::string& text, const std::string& folder,
                                                 bool in_process, const PluginSearch& search) {
  ConnectorTarget target;
  if (IsAddress(text)) {
    if (in_process) {
      return AsUsage(absl::InvalidArgumentError(
          absl::StrCat("isolation in_process needs a plugin, ", text, " is an address")));
    }
    target.placement = ConnectorTarget::Placement::kAddress;
    target.label = text;
    target.path = text;
    return target;
  }
  target.placement =
      in_process ? ConnectorTarget::Placement::kInProcess : ConnectorTarget::Placement::kChild;
  target.host_binary = search.host_binary;
  target.label = absl::StrCat("plugin ", text);
  if (!absl::StrContains(text, "/") && !absl::EndsWith(text, ".so")) {
    absl::StatusOr<std::string> path = FindPlugin(
        search, text, [&search](const std::string& file) { return DescribeFile(search, file); });
    if (!path.ok()) return path.status();
    target.path = *std::move(path);
    return target;
  }
  const std::string path = absl::StartsWith(text, "/") ? text : absl::StrCat(folder, "/", text);
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    if (std::filesystem::exists(path + "/connector.py", error)) {
      return AsUsage(absl::UnimplementedError(
          absl::StrCat(text,
                       ": a folder with connector.py; Python projects are not built yet. "
                       "Start the connector yourself and give its address: grpc://HOST:PORT")));
    }
    return AsUsage(absl::NotFoundError(
        absl::StrCat(text, ": this folder is no connector; give the path of its .so file")));
  }
  if (!std::filesystem::exists(path, error)) {
    return AsUsage(absl::NotFoundError(absl::StrCat(text, ": there is no such file")));
  }
  target.path = path;
  return target;
}

absl::StatusOr<std::unique_ptr<ChangeSource>> OpenConnector(const ConnectorTarget& target,
                                                            const ConnectorLaunch& launch) {
  switch (target.placement) {
    case ConnectorTarget::Placement::kAddress:
      return ConnectAddress(launch, target.path);
    case ConnectorTarget::Placement::kInProcess: {
      absl::StatusOr<InProcessHost> host = ServeInProcess(target.path);
      if (!host.ok()) return host.status();
      return ConnectChannel(launch, std::move(host->channel), std::move(host->owner));
    }
    case ConnectorTarget::Placement::kChild:
      break;
  }
  return LaunchChild(launch, {target.host_binary, target.path});
}

}  // namespace tidemark
