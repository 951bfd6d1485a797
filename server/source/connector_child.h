// The process of one plugin: watched while it lives, put into words when it ends.
#ifndef TIDEMARK_SOURCE_CONNECTOR_CHILD_H_
#define TIDEMARK_SOURCE_CONNECTOR_CHILD_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/mutex.h"
#include "source/child_spawn.h"
#include "source/connector_launch.h"
#include "source/scratch_folder.h"
#include "source/stderr_tail.h"

namespace tidemark {

// Thread-safe. One thread, "tm-child", drains stderr, looks at the resident memory and the number
// of threads every 100 ms and waits for the end; then it kills what is left of the process group.
// The destructor kills and joins: afterwards neither process nor thread nor scratch folder is left.
// Should this program die by SIGKILL, the lifeline ends the child.
class ConnectorChild {
 public:
  static absl::StatusOr<std::unique_ptr<ConnectorChild>> Start(const ConnectorLaunch& launch,
                                                               const ChildPlacement& placement);
  // Any program with the descriptors of SpawnChild, without a sandbox. `arguments` begins with its
  // path.
  static absl::StatusOr<std::unique_ptr<ConnectorChild>> StartProgram(
      const ConnectorLaunch& launch, const std::vector<std::string>& arguments);
  ~ConnectorChild();
  ConnectorChild(const ConnectorChild&) = delete;
  ConnectorChild& operator=(const ConnectorChild&) = delete;

  // Our end of the socketpair, non-blocking; valid once.
  int TakeSocket() { return child_.socket.Release(); }
  pid_t pid() const { return child_.pid; }

  // Kills the child `grace` from now if it has not ended by then; the shortest time of several
  // calls counts. `expected`: the channel is closed, which asks it to end in order; ending with
  // status 0 is no failure from here on.
  void KillAfter(absl::Duration grace, bool expected = false);

  // True once the child has ended; waits for that at most `timeout`.
  bool WaitForEnd(absl::Duration timeout);

  // Nothing while it lives, and when a signal ended it.
  std::optional<int> ExitStatus() const;

  // Why the child is of no more use, naming what happened and its last words: RESOURCE_EXHAUSTED
  // (memory, threads), INTERNAL (flood of stderr) or, when it ended by itself, ABORTED. OK while it
  // lives, when it ended as expected, and when KillAfter killed it.
  absl::Status Failure() const;

 private:
  // What a child is started with, made before it.
  struct Preparation {
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
    uint64_t threads = std::numeric_limits<uint64_t>::max();  // at most
    ScratchFolder scratch;
    UniqueFd wake;
  };
  static absl::StatusOr<std::unique_ptr<ConnectorChild>> StartPrepared(
      const ConnectorLaunch& launch, Preparation prepared);
  ConnectorChild(const ConnectorLaunch& launch, SpawnedChild child, Preparation prepared);

  void Watch();
  // False: nothing more will come.
  bool DrainStderr(bool to_the_end);
  void CheckMemory();
  void CheckThreads();
  void Condemn(absl::Status verdict);
  absl::Duration UntilKill();
  void Bury();

  const std::string label_;
  const uint64_t memory_bytes_;
  const uint64_t threads_;  // at most
  const ScratchFolder scratch_;
  SpawnedChild child_;
  const UniqueFd wake_;   // eventfd
  const UniqueFd statm_;  // /proc/PID/statm
  const UniqueFd stat_;   // /proc/PID/stat
  StderrTail stderr_;

  mutable Mutex mutex_;
  CondVar ended_changed_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool expected_ ABSL_GUARDED_BY(mutex_) = false;  // see KillAfter
  bool killed_ ABSL_GUARDED_BY(mutex_) = false;    // SIGKILL was sent by us
  absl::Time kill_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  absl::Status verdict_ ABSL_GUARDED_BY(mutex_);
  int end_code_ ABSL_GUARDED_BY(mutex_) = 0;  // si_code and si_status of waitid(2)
  int end_status_ ABSL_GUARDED_BY(mutex_) = 0;

  std::thread watcher_;  // last: everything it uses is there
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_CONNECTOR_CHILD_H_
