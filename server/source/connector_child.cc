#include "source/connector_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/failpoint.h"
#include "source/child_environment.h"

namespace tidemark {
namespace {

constexpr absl::Duration kLookInterval = absl::Milliseconds(100);
constexpr size_t kReadBytes = size_t{64} * 1024;
constexpr size_t kReadsPerRound = 16;  // then memory and end are looked at again

std::string SignalName(int number) {
  const char* name = sigabbrev_np(number);
  return name != nullptr ? absl::StrCat("SIG", name) : absl::StrCat("signal ", number);
}

std::string EndWords(int code, int status) {
  if (code == CLD_EXITED) return absl::StrCat("ended with exit status ", status);
  return absl::StrCat("was killed by ", SignalName(status));
}

// A file of /proc/PID.
UniqueFd OpenOf(pid_t pid, const char* name) {
  return UniqueFd(open(absl::StrCat("/proc/", pid, "/", name).c_str(), O_RDONLY | O_CLOEXEC));
}

std::string Mebibytes(uint64_t bytes) { return absl::StrCat(bytes >> 20, " MiB"); }

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectorChild>> ConnectorChild::Start(
    const ConnectorLaunch& launch, const ChildPlacement& placement) {
  if (access(placement.plugin_path.c_str(), R_OK) != 0) {
    return absl::NotFoundError(
        absl::StrCat(launch.label, ": cannot read ", placement.plugin_path, ": ", strerror(errno)));
  }
  SandboxPolicy policy = launch.sandbox;
  policy.memory_bytes = launch.limits.memory_bytes;
  Preparation prepared;
  if (policy.enabled) {
    prepared.threads = policy.threads;
    absl::StatusOr<ScratchFolder> scratch = ScratchFolder::Create();
    if (scratch.ok()) {
      prepared.scratch = *std::move(scratch);
      policy.scratch = prepared.scratch.path();
    } else if (launch.log) {
      launch.log(2,
                 absl::StrCat("the plugin gets no temporary folder: ", scratch.status().message()));
    }
  }
  prepared.arguments = {placement.host_binary, placement.plugin_path};
  for (std::string& argument : SandboxArguments(policy)) {
    prepared.arguments.push_back(std::move(argument));
  }
  prepared.environment = ChildEnvironment(policy);
  return StartPrepared(launch, std::move(prepared));
}

absl::StatusOr<std::unique_ptr<ConnectorChild>> ConnectorChild::StartProgram(
    const ConnectorLaunch& launch, const std::vector<std::string>& arguments) {
  Preparation prepared;
  prepared.arguments = arguments;
  prepared.environment = ChildEnvironment({.enabled = false});
  return StartPrepared(launch, std::move(prepared));
}

absl::StatusOr<std::unique_ptr<ConnectorChild>> ConnectorChild::StartPrepared(
    const ConnectorLaunch& launch, Preparation prepared) {
  prepared.wake = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!prepared.wake.valid()) {
    return absl::FailedPreconditionError(
        absl::StrCat(launch.label, ": eventfd: ", strerror(errno)));
  }
  if (absl::Status s = Failpoint("connector.spawn"); !s.ok()) return s;
  absl::StatusOr<SpawnedChild> child = SpawnChild(prepared.arguments, prepared.environment);
  if (!child.ok()) {
    return absl::Status(
        child.status().code(),
        absl::StrCat(launch.label, ": cannot start its process: ", child.status().message()));
  }
  PassFailpoint("connector.spawned");
  return std::unique_ptr<ConnectorChild>(
      new ConnectorChild(launch, *std::move(child), std::move(prepared)));
}

ConnectorChild::ConnectorChild(const ConnectorLaunch& launch, SpawnedChild child,
                               Preparation prepared)
    : label_(launch.label),
      memory_bytes_(launch.limits.memory_bytes),
      threads_(prepared.threads),
      scratch_(std::move(prepared.scratch)),
      child_(std::move(child)),
      wake_(std::move(prepared.wake)),
      statm_(OpenOf(child_.pid, "statm")),
      stat_(OpenOf(child_.pid, "stat")),
      stderr_(launch.log),
      watcher_([this] { Watch(); }) {}

ConnectorChild::~ConnectorChild() {
  KillAfter(absl::ZeroDuration());
  watcher_.join();
}

void ConnectorChild::KillAfter(absl::Duration grace, bool expected) {
  MutexLock lock(mutex_);
  expected_ = expected_ || expected;  // it may have been quicker than this call
  if (ended_) return;
  kill_at_ = std::min(kill_at_, absl::Now() + grace);
  eventfd_write(wake_.get(), 1);
}

bool ConnectorChild::WaitForEnd(absl::Duration timeout) {
  const absl::Time deadline = absl::Now() + timeout;
  MutexLock lock(mutex_);
  while (!ended_) {
    const absl::Duration left = deadline - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    ended_changed_.WaitFor(mutex_, left);
  }
  return true;
}

std::optional<int> ConnectorChild::ExitStatus() const {
  MutexLock lock(mutex_);
  if (!ended_ || end_code_ != CLD_EXITED) return std::nullopt;
  return end_status_;
}

absl::Status ConnectorChild::Failure() const {
  std::string words;
  {
    MutexLock lock(mutex_);
    if (!verdict_.ok()) return verdict_;
    if (!ended_ || killed_) return absl::OkStatus();
    if (expected_ && end_code_ == CLD_EXITED && end_status_ == 0) return absl::OkStatus();
    words = EndWords(end_code_, end_status_);
  }
  const std::string last = stderr_.LastLine();
  return absl::AbortedError(
      absl::StrCat(label_, ": its process ", words,
                   last.empty() ? "" : absl::StrCat("; the last line it wrote: \"", last, "\"")));
}

void ConnectorChild::Watch() {
  pthread_setname_np(pthread_self(), "tm-child");
  absl::Time look_at = absl::Now();
  bool stderr_open = true;
  while (true) {
    const absl::Duration wait = std::min(look_at - absl::Now(), UntilKill());
    std::array<pollfd, 3> fds = {pollfd{child_.pid_fd.get(), POLLIN, 0},
                                 pollfd{wake_.get(), POLLIN, 0},
                                 pollfd{stderr_open ? child_.stderr_pipe.get() : -1, POLLIN, 0}};
    const int64_t wait_ms =
        std::max<int64_t>(0, absl::ToInt64Milliseconds(wait + absl::Microseconds(999)));
    poll(fds.data(), fds.size(), static_cast<int>(wait_ms));
    if (fds[0].revents != 0) break;
    if (fds[1].revents != 0) {
      eventfd_t count = 0;
      eventfd_read(wake_.get(), &count);
    }
    if (fds[2].revents != 0) stderr_open = DrainStderr(false);
    if (absl::Now() >= look_at) {
      CheckMemory();
      CheckThreads();
      look_at = absl::Now() + kLookInterval;
    }
    if (UntilKill() <= absl::ZeroDuration()) {
      MutexLock lock(mutex_);
      killed_ = true;
      kill_at_ = absl::InfiniteFuture();
      kill(-child_.pid, SIGKILL);
    }
  }
  Bury();
}

absl::Duration ConnectorChild::UntilKill() {
  MutexLock lock(mutex_);
  return kill_at_ - absl::Now();
}

bool ConnectorChild::DrainStderr(bool to_the_end) {
  std::array<char, kReadBytes> buffer;
  for (size_t i = 0; to_the_end || i < kReadsPerRound; ++i) {
    const ssize_t n = read(child_.stderr_pipe.get(), buffer.data(), buffer.size());
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    if (stderr_.Append(absl::string_view(buffer.data(), static_cast<size_t>(n)))) continue;
    Condemn(absl::InternalError(
        absl::StrCat(label_, ": its process was ended because it flooded its stderr (",
                     Mebibytes(stderr_.bytes()), " written, at most ",
                     Mebibytes(static_cast<uint64_t>(StderrTail::kFloodBytes)),
                     " at once); the last line: \"", stderr_.LastLine(), "\"")));
    return true;
  }
  return true;
}

void ConnectorChild::CheckMemory() {
  std::array<char, 128> text;
  const ssize_t n = pread(statm_.get(), text.data(), text.size() - 1, 0);
  if (n <= 0) return;  // it is ending
  text[static_cast<size_t>(n)] = '\0';
  // proc(5), /proc/pid/statm: size, resident, ... in pages.
  unsigned long size = 0;
  unsigned long resident = 0;
  if (sscanf(text.data(), "%lu %lu", &size, &resident) != 2) return;
  static const auto page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t bytes = uint64_t{resident} * page_bytes;
  if (bytes <= memory_bytes_) return;
  Condemn(absl::ResourceExhaustedError(
      absl::StrCat(label_, ": its process was ended because it used ", Mebibytes(bytes),
                   " of memory; the limit is ", Mebibytes(memory_bytes_))));
}

void ConnectorChild::CheckThreads() {
  std::array<char, 1024> text;
  const ssize_t n = pread(stat_.get(), text.data(), text.size() - 1, 0);
  if (n <= 0) return;
  text[static_cast<size_t>(n)] = '\0';
  // proc(5), /proc/pid/stat: "pid (name) state ...", where the name may hold anything; the number
  // of threads is the 18th field behind it.
  const char* field = strrchr(text.data(), ')');
  for (int i = 0; field != nullptr && i < 18; ++i) field = strchr(field + 1, ' ');
  if (field == nullptr) return;
  const uint64_t threads = strtoull(field + 1, nullptr, 10);
  if (threads <= threads_) return;
  Condemn(
      absl::ResourceExhaustedError(absl::StrCat(label_, ": its process was ended because it had ",
                                                threads, " threads; the limit is ", threads_)));
}

// The verdict stands before the signal is sent: whoever sees the connection break finds it.
void ConnectorChild::Condemn(absl::Status verdict) {
  MutexLock lock(mutex_);
  if (!verdict_.ok()) return;
  verdict_ = std::move(verdict);
  killed_ = true;
  kill(-child_.pid, SIGKILL);
}

void ConnectorChild::Bury() {
  siginfo_t end = {};
  while (waitid(P_PID, static_cast<id_t>(child_.pid), &end, WEXITED | WNOWAIT) != 0 &&
         errno == EINTR) {
  }
  // Not reaped yet, so the number of its group cannot have been given to others.
  kill(-child_.pid, SIGKILL);
  DrainStderr(true);
  stderr_.Finish();
  MutexLock lock(mutex_);
  waitpid(child_.pid, nullptr, 0);
  end_code_ = end.si_code;
  end_status_ = end.si_status;
  ended_ = true;
  ended_changed_.SignalAll();
}

}  // namespace tidemark
