#include "source/python_child.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/status_context.h"
#include "source/scratch_folder.h"
#include "source/unique_fd.h"

namespace tidemark {
namespace {

// Importing gRPC and what the author imports takes its time on a busy machine.
constexpr absl::Duration kListenTimeout = absl::Seconds(60);
constexpr absl::Duration kEndSeen = absl::Seconds(2);

// Ends with kNoPackage where the package is missing, so that nobody has to read its words. With -c
// the first entry of sys.path is the current folder, which holds whatever the user works on.
constexpr int kNoPackage = 78;
constexpr char kStart[] =
    "import importlib.util, runpy, sys\n"
    "sys.path[:] = [path for path in sys.path if path]\n"
    "try:\n"
    "    found = importlib.util.find_spec('tidemark.serve')\n"
    "except ModuleNotFoundError as error:\n"
    "    found = print(error, file=sys.stderr)\n"
    "if found is None:\n"
    "    sys.exit(78)\n"
    "sys.argv[0] = 'tidemark.serve'\n"
    "runpy.run_module('tidemark.serve', run_name='__main__')\n";

// What a running child needs of ours. The socket goes first: its end is what the child waits for.
struct Hold {
  ScratchFolder folder;  // of the child's socket
  UniqueFd pair;
};

absl::Status NoPackage(const ConnectorLaunch& launch, const PythonPlacement& placement) {
  return absl::FailedPreconditionError(
      absl::StrCat(launch.label, ": ", placement.python,
                   " has no package tidemark; install it: ", placement.python,
                   " -m pip install PATH/OF/TIDEMARK/clients/python, or name another "
                   "interpreter in TIDEMARK_PYTHON"));
}

// The child's end of the pair is readable: it listens; at its end: it is gone.
absl::Status AwaitListening(const ConnectorLaunch& launch, const PythonPlacement& placement,
                            ConnectorChild* child, int pair) {
  const absl::Time deadline = absl::Now() + kListenTimeout;
  while (true) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) {
      return absl::FailedPreconditionError(absl::StrCat(launch.label,
                                                        ": it did not begin to listen within ",
                                                        absl::FormatDuration(kListenTimeout)));
    }
    pollfd fd = {pair, POLLIN, 0};
    const int ready = poll(&fd, 1, static_cast<int>(absl::ToInt64Milliseconds(left)) + 1);
    if (ready < 0 && errno != EINTR) {
      return absl::FailedPreconditionError(absl::StrCat(launch.label, ": poll: ", strerror(errno)));
    }
    if (ready <= 0) continue;
    std::array<char, 64> line;  // all of it: closing with something unread resets the peer
    const ssize_t n = read(pair, line.data(), line.size());
    if (n > 0) return absl::OkStatus();
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    child->WaitForEnd(kEndSeen);
    if (child->ExitStatus() == kNoPackage) return NoPackage(launch, placement);
    absl::Status failure = child->Failure();
    if (!failure.ok()) return absl::FailedPreconditionError(failure.message());
    return absl::FailedPreconditionError(
        absl::StrCat(launch.label, ": it closed its descriptors before it listened"));
  }
}

}  // namespace

absl::StatusOr<PythonChild> StartPythonChild(const ConnectorLaunch& launch,
                                             const PythonPlacement& placement) {
  if (access(placement.connector_path.c_str(), R_OK) != 0) {
    return absl::NotFoundError(absl::StrCat(launch.label, ": cannot read ",
                                            placement.connector_path, ": ", strerror(errno)));
  }
  absl::StatusOr<ScratchFolder> folder = ScratchFolder::Create();
  if (!folder.ok()) return WithContext(launch.label, folder.status());
  PythonChild started;
  started.address = absl::StrCat("unix:", folder->path(), "/socket");
  if (started.address.size() - strlen("unix:") >= sizeof(sockaddr_un::sun_path)) {
    return absl::FailedPreconditionError(
        absl::StrCat(launch.label, ": the folder for temporary files has too long a name for a ",
                     "socket: ", folder->path(), "; set TMPDIR to another one"));
  }
  absl::StatusOr<std::unique_ptr<ConnectorChild>> child = ConnectorChild::StartProgram(
      launch,
      {placement.python, "-u", "-c", kStart, placement.connector_path, "--listen", started.address,
       "--ready", absl::StrCat(kChildSocketFd), "--lifeline", absl::StrCat(kChildLifelineFd)});
  if (!child.ok()) return child.status();
  started.child = *std::move(child);
  auto hold = std::make_shared<Hold>();
  hold->folder = *std::move(folder);
  hold->pair = UniqueFd(started.child->TakeSocket());
  absl::Status status = AwaitListening(launch, placement, started.child.get(), hold->pair.get());
  if (!status.ok()) return status;
  started.until_closed = std::move(hold);
  return started;
}

}  // namespace tidemark
