#include "source/child_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

// Above every number the child uses, so that no dup2 overwrites a source of another.
constexpr int kFirstFreeFd = 10;

absl::Status SystemError(const char* what, int error) {
  return absl::FailedPreconditionError(absl::StrCat(what, ": ", strerror(error)));
}

struct ChildEnds {
  UniqueFd null;
  UniqueFd socket;
  UniqueFd lifeline;
  UniqueFd stderr_pipe;
};

bool MoveUp(UniqueFd* fd) {
  UniqueFd high(fcntl(fd->get(), F_DUPFD_CLOEXEC, kFirstFreeFd));
  if (!high.valid()) return false;
  *fd = std::move(high);
  return true;
}

absl::Status OpenPipes(SpawnedChild* ours, ChildEnds* theirs) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) {
    return SystemError("socketpair", errno);
  }
  ours->socket = UniqueFd(pair[0]);
  theirs->socket = UniqueFd(pair[1]);
  if (pipe2(pair, O_CLOEXEC) != 0) return SystemError("pipe", errno);
  theirs->lifeline = UniqueFd(pair[0]);
  ours->lifeline = UniqueFd(pair[1]);
  if (pipe2(pair, O_CLOEXEC) != 0) return SystemError("pipe", errno);
  ours->stderr_pipe = UniqueFd(pair[0]);
  theirs->stderr_pipe = UniqueFd(pair[1]);
  theirs->null = UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!theirs->null.valid()) return SystemError("/dev/null", errno);
  // Only our end: a plugin's printf must not see EAGAIN.
  if (fcntl(ours->stderr_pipe.get(), F_SETFL, O_NONBLOCK) != 0) return SystemError("fcntl", errno);
  if (!MoveUp(&theirs->socket) || !MoveUp(&theirs->lifeline) || !MoveUp(&theirs->stderr_pipe) ||
      !MoveUp(&theirs->null)) {
    return SystemError("fcntl", errno);
  }
  return absl::OkStatus();
}

// The two objects posix_spawn wants, freed on every way out.
struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
};

int Prepare(const ChildEnds& ends, SpawnSettings* settings) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&settings->attributes, &none);
  posix_spawnattr_setsigdefault(&settings->attributes, &all);
  // Its own session: a Ctrl-C at the terminal reaches the server, which ends the child in order.
  int error = posix_spawnattr_setflags(
      &settings->attributes,
      static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  posix_spawn_file_actions_t* actions = &settings->actions;
  const auto give = [&error, actions](const UniqueFd& fd, int number) {
    if (error == 0) error = posix_spawn_file_actions_adddup2(actions, fd.get(), number);
  };
  give(ends.null, 0);
  // A plugin that prints must not end up in the output of `tidemark run --json`.
  give(ends.stderr_pipe, 1);
  give(ends.stderr_pipe, 2);
  give(ends.socket, kChildSocketFd);
  give(ends.lifeline, kChildLifelineFd);
  if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(actions, kChildLifelineFd + 1);
  return error;
}

// Views `texts`, as posix_spawn wants it.
std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

absl::StatusOr<SpawnedChild> SpawnChild(const std::vector<std::string>& arguments,
                                        const std::vector<std::string>& environment) {
  SpawnedChild child;
  ChildEnds ends;
  if (absl::Status status = OpenPipes(&child, &ends); !status.ok()) return status;
  SpawnSettings settings;
  int error = Prepare(ends, &settings);
  if (error == 0) {
    const std::vector<char*> argv = Pointers(arguments);
    error = posix_spawn(&child.pid, argv[0], &settings.actions, &settings.attributes, argv.data(),
                        Pointers(environment).data());
  }
  if (error == ENOENT || error == ENOTDIR) {
    return absl::NotFoundError(absl::StrCat("no program at ", arguments[0]));
  }
  if (error != 0) return SystemError(arguments[0].c_str(), error);
  // glibc 2.36 declares pidfd_open without C linkage.
  child.pid_fd = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, child.pid, 0)));
  if (!child.pid_fd.valid()) {
    error = errno;
    kill(-child.pid, SIGKILL);
    waitpid(child.pid, nullptr, 0);
    return SystemError("pidfd_open", error);
  }
  return child;
}

}  // namespace tidemark
