// Starts or reaches a connector and gives the pipeline its ChangeSource (architecture.md 5).
#ifndef TIDEMARK_SOURCE_CONNECTOR_LAUNCH_H_
#define TIDEMARK_SOURCE_CONNECTOR_LAUNCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/sandbox_policy.h"
#include "core/setting.h"
#include "pipeline/change_source.h"

namespace grpc {
class Channel;
}

namespace tidemark {

// What every placement shares.
struct ConnectorLimits {
  absl::Duration describe = absl::Seconds(5);
  absl::Duration check = absl::Seconds(60);
  absl::Duration schema = absl::Seconds(120);
  absl::Duration stall = absl::Minutes(30);      // Update without any message: the sync stops
  absl::Duration interrupt = absl::Seconds(30);  // after Cancel, then the child is killed
  uint64_t memory_bytes = uint64_t{1} << 30;     // resident memory of the child
};

struct ConnectorLaunch {
  std::string label;              // how errors call it: "plugin rest", "grpc://127.0.0.1:5001"
  std::vector<Setting> settings;  // borrowed into every call's Configuration
  ConnectorLimits limits;
  SandboxPolicy sandbox;  // of a child; its memory and scratch folder are filled in by LaunchChild
  // A line that the connector wrote to stderr or logged before Update. May be called from a
  // thread of the source; null: dropped (the last 64 KiB of stderr stay for error texts).
  std::function<void(int level, absl::string_view text)> log;
};

// `tidemark-plugin-host` serving one plugin on an inherited socketpair: the default placement.
struct ChildPlacement {
  std::string host_binary;  // path of tidemark-plugin-host
  std::string plugin_path;  // path of the .so
};

// `python -m tidemark.serve` (clients/python) on a unix socket in a folder of its own. Watched as a
// plugin's process is, and not sandboxed.
struct PythonPlacement {
  std::string python;          // path of the interpreter
  std::string connector_path;  // of the .py file
};

// All: NOT_FOUND or FAILED_PRECONDITION when the connector cannot be started or reached,
// else an instance that has answered nothing yet.
absl::StatusOr<std::unique_ptr<ChangeSource>> LaunchChild(const ConnectorLaunch& launch,
                                                          const ChildPlacement& placement);
// FAILED_PRECONDITION also when the interpreter lacks the package tidemark, with what to type.
absl::StatusOr<std::unique_ptr<ChangeSource>> LaunchPython(const ConnectorLaunch& launch,
                                                           const PythonPlacement& placement);
// `address`: "unix:PATH" or "grpc://HOST:PORT". Without TLS only loopback hosts are accepted
// (INVALID_ARGUMENT says so).
absl::StatusOr<std::unique_ptr<ChangeSource>> ConnectAddress(const ConnectorLaunch& launch,
                                                             const std::string& address);
// A service in this process (plugin_host/in_process.h). `owner` keeps that service alive and is
// destroyed after the source's last call.
absl::StatusOr<std::unique_ptr<ChangeSource>> ConnectChannel(const ConnectorLaunch& launch,
                                                             std::shared_ptr<grpc::Channel> channel,
                                                             std::shared_ptr<void> owner);

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_CONNECTOR_LAUNCH_H_
