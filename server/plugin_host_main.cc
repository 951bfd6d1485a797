// tidemark-plugin-host: serves one plugin on a socket it was given, and is gone when its starter
// is. Not for use by hand.
//
//   tidemark-plugin-host PLUGIN.so [POLICY...]
//
// POLICY: core/sandbox_policy.h; without any the plugin gets no file and no network.
// fd 3: a connected stream socket, the channel of the Connector service.
// fd 4: the reading end of a pipe whose other end only the starter holds; its end is ours.
#include <fcntl.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/failpoint.h"
#include "core/sandbox_policy.h"
#include "core/status_context.h"
#include "plugin_host/connector_service.h"
#include "plugin_host/plugin_library.h"
#include "plugin_host/sandbox.h"
#include "wire/transport.h"

namespace {

constexpr int kChannelFd = 3;
constexpr int kLifelineFd = 4;
// The starter kills us after as long.
constexpr absl::Duration kStopTimeout = absl::Seconds(30);

// Waits until the other end of `fd` is closed.
void WaitForHangUp(int fd) {
  pollfd polled{};
  polled.fd = fd;
  polled.events = POLLRDHUP;
  for (;;) {
    const int ready = poll(&polled, 1, -1);
    if (ready > 0 && (polled.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0) return;
    if (ready < 0 && errno != EINTR) return;
  }
}

// Both are not for processes that a plugin starts; what else is open is not for the plugin.
bool AdoptFds() {
  close_range(kLifelineFd + 1, ~0u, 0);
  for (const int fd : {kChannelFd, kLifelineFd}) {
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return false;
  }
  const int flags = fcntl(kChannelFd, F_GETFL);
  return flags >= 0 && fcntl(kChannelFd, F_SETFL, flags | O_NONBLOCK) == 0;
}

// A starter that was killed cannot say good-bye: nothing of a sync may outlive it.
void WatchLifeline() {
  pthread_setname_np(pthread_self(), "lifeline");
  WaitForHangUp(kLifelineFd);
  // With whatever the plugin started, which is in our group: the starter made us its leader.
  if (getpgrp() == getpid()) kill(0, SIGKILL);
  _exit(0);
}

// The end in order. The starter kills what is left of our group; but when it was killed itself, the
// socket may have ended a moment before the lifeline did.
[[noreturn]] void End(int status) {
  signal(SIGTERM, SIG_IGN);
  if (getpgrp() == getpid()) kill(0, SIGTERM);
  _exit(status);
}

// The plugin, or why it may not be used.
absl::StatusOr<std::shared_ptr<const tidemark::PluginLibrary>> Load(
    const char* plugin_path, const tidemark::SandboxPolicy& policy, const absl::Status& entered) {
  if (!entered.ok()) {
    return tidemark::WithContext(
        "the plugin cannot be locked in, and does not run without (sync.sandbox)", entered);
  }
  absl::StatusOr<std::shared_ptr<const tidemark::PluginLibrary>> library =
      tidemark::PluginLibrary::Open(plugin_path);
  if (library.ok() && policy.capabilities.has_value() &&
      (*library)->description().capabilities != *policy.capabilities) {
    return absl::FailedPreconditionError(absl::StrCat(
        "plugin ", plugin_path, " does not say what it said a moment ago (capabilities ",
        (*library)->description().capabilities, ", then ", *policy.capabilities,
        "): was its file replaced? Start the sync again"));
  }
  return library;
}

int Serve(const char* plugin_path, const tidemark::SandboxPolicy& policy,
          const absl::Status& entered) {
  // A copy to watch: gRPC owns the other one.
  const int watched = fcntl(kChannelFd, F_DUPFD_CLOEXEC, kLifelineFd + 1);
  tidemark::ConnectorService service(Load(plugin_path, policy, entered));
  grpc::ServerBuilder builder;
  tidemark::ConfigureServer(&builder);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
  builder.RegisterService(service.service());
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (watched < 0 || server == nullptr) {
    std::fputs("tidemark-plugin-host: cannot start the Connector service\n", stderr);
    return 1;
  }
  grpc::AddInsecureChannelFromFd(server.get(), kChannelFd);
  WaitForHangUp(watched);
  // Nothing is destroyed: where Stop says no, the plugin still works on it; and with a write under
  // way when the socket ended, grpc_shutdown would wait 10 seconds for its backup poller.
  End(service.Stop(kStopTimeout) ? 0 : 1);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + (argc < 2 ? argc : 2), argv + argc);
  const absl::StatusOr<tidemark::SandboxPolicy> policy = tidemark::ParseSandboxArguments(arguments);
  if (argc < 2 || !policy.ok() || !AdoptFds()) {
    std::fputs("tidemark-plugin-host is started by Tidemark, with a socket and a pipe\n", stderr);
    return 2;
  }
  if (const absl::Status armed = tidemark::ArmFailpointsFromEnvironment(); !armed.ok()) {
    std::fprintf(stderr, "tidemark-plugin-host: %s\n", std::string(armed.message()).c_str());
    return 2;
  }
  // Core files would hold what a connector keeps secret.
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  // Ctrl-C at a terminal goes to the whole foreground group; the starter decides what it means.
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  // Before the first thread.
  const absl::Status entered =
      policy->enabled ? tidemark::EnterSandbox(*policy, argv[1]) : absl::OkStatus();
  std::thread lifeline(WatchLifeline);
  // Not through exit(): destructors of a plugin's globals have no reader any more, and may not
  // hold up or spoil an end that is in order. The lifeline's thread ends with the process.
  _exit(Serve(argv[1], *policy, entered));
}
