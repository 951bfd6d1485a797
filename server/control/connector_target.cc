#include "control/connector_target.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "control/exit_code.h"
#include "control/python_interpreter.h"
#include "control/version.h"
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

std::string PathIn(const std::string& folder, const std::string& text) {
  return absl::StartsWith(text, "/") ? text : absl::StrCat(folder, "/", text);
}

// The .py file that `text` means: itself, or connector.py in the folder it names. Empty: a plugin.
std::string PythonFile(const std::string& text, const std::string& folder) {
  std::string path = PathIn(folder, text);
  if (absl::EndsWith(text, ".py")) return path;
  std::error_code error;
  const std::string inside = path + "/connector.py";
  return std::filesystem::exists(inside, error) ? inside : "";
}

absl::StatusOr<ConnectorTarget> PythonTarget(const std::string& text, const std::string& file,
                                             bool in_process) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return AsUsage(absl::NotFoundError(absl::StrCat(text, ": there is no such file")));
  }
  if (in_process) {
    return AsUsage(absl::InvalidArgumentError(
        absl::StrCat("isolation in_process needs a plugin, ", text, " is Python")));
  }
  absl::StatusOr<std::string> python = FindPython(file);
  if (!python.ok()) return AsUsage(python.status());
  ConnectorTarget target;
  target.placement = ConnectorTarget::Placement::kPython;
  target.label = absl::StrCat("connector ", text);
  target.path = file;
  target.python = *std::move(python);
  return target;
}

bool IsAddress(absl::string_view text) {
  return absl::StartsWith(text, "grpc://") || absl::StartsWith(text, "unix:");
}

}  // namespace

absl::StatusOr<ConnectorTarget> ResolveConnector(const std::string& text, const std::string& folder,
                                                 bool in_process, const PluginSearch& search) {
  ConnectorTarget target;
  if (text == kPushedConnector) {
    if (in_process) {
      return AsUsage(absl::InvalidArgumentError(
          "isolation in_process needs a plugin; into an ingest connection programs push"));
    }
    target.placement = ConnectorTarget::Placement::kPushed;
    target.label = target.path = text;
    return target;
  }
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
  if (const std::string file = PythonFile(text, folder); !file.empty()) {
    return PythonTarget(text, file, in_process);
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
  const std::string path = PathIn(folder, text);
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return AsUsage(absl::NotFoundError(
        absl::StrCat(text,
                     ": this folder is no connector; give the path of its .so file, or put a "
                     "connector.py into it")));
  }
  if (!std::filesystem::exists(path, error)) {
    return AsUsage(absl::NotFoundError(absl::StrCat(text, ": there is no such file")));
  }
  target.path = path;
  return target;
}

ConnectorDescription PushedDescription() {
  ConnectorDescription description;
  description.id = kPushedConnector;
  description.version = EngineVersion();
  description.description = "Programs push rows through a server.";
  description.state_format = 1;  // source/push_state.h
  return description;
}

absl::Status OnlyPushed(const ConnectorTarget& target) {
  return AsUsage(absl::FailedPreconditionError(
      absl::StrCat("connector ", target.label,
                   ": programs push into this connection through a server (tidemarkd, "
                   "ingest.proto); there is nothing to read here")));
}

absl::StatusOr<std::unique_ptr<ChangeSource>> OpenConnector(const ConnectorTarget& target,
                                                            const ConnectorLaunch& launch) {
  switch (target.placement) {
    case ConnectorTarget::Placement::kPushed:
      return OnlyPushed(target);
    case ConnectorTarget::Placement::kAddress:
      return ConnectAddress(launch, target.path);
    case ConnectorTarget::Placement::kInProcess: {
      absl::StatusOr<InProcessHost> host = ServeInProcess(target.path);
      if (!host.ok()) return host.status();
      return ConnectChannel(launch, std::move(host->channel), std::move(host->owner));
    }
    case ConnectorTarget::Placement::kPython:
      return LaunchPython(launch, {target.python, target.path});
    case ConnectorTarget::Placement::kChild:
      break;
  }
  return LaunchChild(launch, {target.host_binary, target.path});
}

}  // namespace tidemark
