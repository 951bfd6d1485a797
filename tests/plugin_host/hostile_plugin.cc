// A plugin that attacks the machine it runs on: the option `attack` says how. Check() makes the
// attempt and answers OK when it went well, else PERMISSION_DENIED with the name of errno. Update()
// makes those that end a process. What an attempt would change, it changes at `target` only.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tidemark/connector.h"

namespace {

constexpr unsigned long kBadPointer = 1;  // where a call is to fail after it was let through
constexpr int kX32 = 0x40000000;

// What the constructor of a global found, before anybody called the plugin.
struct Early {
  Early() {
    const long pid = syscall(SYS_fork);
    if (pid == 0) _exit(0);
    child = Result(pid);
    if (pid > 0) waitpid(static_cast<pid_t>(pid), nullptr, 0);
    socket = Result(::socket(AF_UNIX, SOCK_STREAM, 0));
    file = Result(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  }
  static long Result(long result) { return result < 0 ? -errno : result; }
  long child, socket, file;
};
const Early early;

// What a kept result meant then.
long Again(long result) {
  if (result < 0) errno = static_cast<int>(-result);
  return result < 0 ? -1 : 0;
}

// >= 0 as it is; the end of what a call opened.
long Closed(long fd) {
  if (fd >= 0) close(static_cast<int>(fd));
  return fd;
}

long Open(const std::string& path, int flags) {
  return Closed(open(path.c_str(), flags | O_CLOEXEC, 0600));
}

std::string OfParent(const char* file) { return absl::StrCat("/proc/", getppid(), "/", file); }

// "Forked" children end at once.
long Ended(long pid) {
  if (pid == 0) _exit(0);
  if (pid > 0) waitpid(static_cast<pid_t>(pid), nullptr, 0);
  return pid;
}

long ConnectUnix(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int done = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address));
  const int error = errno;
  close(fd);
  errno = error;
  return done;
}

long SocketPair(int type) {
  int pair[2] = {-1, -1};
  const int done = socketpair(AF_UNIX, type, 0, pair);
  const int error = errno;
  for (const int fd : pair) {
    if (fd >= 0) close(fd);
  }
  errno = error;
  return done;
}

// Whoever owns a descriptor gets a signal when something can be read there.
long SetOwner(long command) {
  int pair[2];
  if (pipe(pair) != 0) return -1;
  const long done = syscall(SYS_fcntl, pair[0], command, getppid());
  const int error = errno;
  for (const int fd : pair) close(fd);
  errno = error;
  return done;
}

enum class Way { kConnect, kBind, kListen };
long OverIp(Way way, uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  auto* const to = reinterpret_cast<sockaddr*>(&address);
  const int done = way == Way::kConnect ? connect(fd, to, sizeof(address))
                   : way == Way::kBind  ? bind(fd, to, sizeof(address))
                                        : listen(fd, 1);
  const int error = errno;
  close(fd);
  errno = error;
  return done;
}

long ReadParentMemory() {
  char byte = 0;
  const iovec here = {&byte, 1};
  const iovec there = {const_cast<Early*>(&early), 1};  // some address
  const long done = process_vm_readv(getppid(), &here, 1, &there, 1, 0);
  return done < 0 && errno == EFAULT ? 0 : done;  // let through
}

long TakeFds(int64_t wanted) {
  std::vector<int> fds;
  int error = 0;
  while (static_cast<int64_t>(fds.size()) < wanted) {
    const int fd = dup(2);
    if (fd < 0) {
      error = errno;
      break;
    }
    fds.push_back(fd);
  }
  for (const int fd : fds) close(fd);
  errno = error;
  return error == 0 ? 0 : -1;
}

// Starts `count` threads that wait; true when all of them ran.
bool StartThreads(int64_t count, size_t stack) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack);
  const auto wait = [](void*) -> void* {
    while (true) pause();
  };
  bool all = true;
  for (int64_t i = 0; i < count && all; ++i) {
    pthread_t thread;
    all = pthread_create(&thread, &attributes, wait, nullptr) == 0;
  }
  pthread_attr_destroy(&attributes);
  return all;
}

long Touch(void* memory, size_t size) {
  if (memory == nullptr || memory == MAP_FAILED) return -1;
  for (size_t i = 0; i < size; i += 4096) static_cast<volatile char*>(memory)[i] = 1;
  return 0;
}

using Attempt = std::function<long(const std::string& target, int64_t number)>;

using AttemptsByName = std::map<std::string, Attempt>;

AttemptsByName OnFiles() {
  return {
      {"none", [](auto&, auto) { return 0L; }},
      {"read", [](auto& t, auto) { return Open(t, O_RDONLY); }},
      {"write", [](auto& t, auto) { return Open(t, O_WRONLY); }},
      {"create", [](auto& t, auto) { return Open(t, O_WRONLY | O_CREAT | O_EXCL); }},
      {"list", [](auto& t, auto) { return Open(t, O_RDONLY | O_DIRECTORY); }},
      {"truncate", [](auto& t, auto) -> long { return truncate(t.c_str(), 0); }},
      {"unlink", [](auto& t, auto) -> long { return unlink(t.c_str()); }},
      {"mkdir", [](auto& t, auto) -> long { return mkdir(t.c_str(), 0700); }},
      {"rename", [](auto& t, auto) -> long { return rename(t.c_str(), (t + "2").c_str()); }},
      {"link", [](auto& t, auto) -> long { return link(t.c_str(), (t + "3").c_str()); }},
      {"symlink", [](auto& t, auto) -> long { return symlink("/etc/passwd", t.c_str()); }},
      {"fifo", [](auto& t, auto) -> long { return mkfifo(t.c_str(), 0600); }},
      {"watch", [](auto&, auto) { return Closed(syscall(SYS_inotify_init1, 0)); }},
      {"chmod", [](auto& t, auto) -> long { return chmod(t.c_str(), 0644); }},
      {"chown", [](auto& t, auto) -> long { return chown(t.c_str(), getuid(), getgid()); }},
      {"xattr", [](auto& t, auto) -> long { return setxattr(t.c_str(), "user.x", "y", 1, 0); }},
      {"touch", [](auto& t, auto) -> long { return utimensat(AT_FDCWD, t.c_str(), nullptr, 0); }},
      {"through_proc", [](auto& t, auto) { return Open("/proc/self/root" + t, O_RDONLY); }},
      {"through_dots", [](auto& t, auto) { return Open("/usr/lib/../.." + t, O_RDONLY); }},
      {"scratch",
       [](auto&, auto) {
         const char* folder = getenv("TMPDIR");
         return folder == nullptr ? -1
                                  : Open(absl::StrCat(folder, "/x"), O_WRONLY | O_CREAT | O_EXCL);
       }},
      {"scratch_symlink",
       [](auto&, auto) -> long {
         return symlink("/etc/passwd", absl::StrCat(getenv("TMPDIR"), "/y").c_str());
       }},
  };
}

// The starter, and who else there is.
AttemptsByName OnOthers() {
  return {
      {"parent_environ", [](auto&, auto) { return Open(OfParent("environ"), O_RDONLY); }},
      {"parent_mem", [](auto&, auto) { return Open(OfParent("mem"), O_RDWR); }},
      {"parent_fd", [](auto&, auto) { return Open(OfParent("fd"), O_RDONLY | O_DIRECTORY); }},
      {"parent_memory", [](auto&, auto) { return ReadParentMemory(); }},
      {"ptrace",
       [](auto&, auto) {
         const long done = ptrace(PTRACE_PEEKDATA, getppid(), &early, nullptr);
         return done < 0 && errno == ESRCH ? 0 : done;  // nobody is traced; let through
       }},
      {"kill_init", [](auto&, auto) -> long { return kill(1, 0); }},
      {"kill_parent", [](auto&, auto) -> long { return kill(getppid(), 0); }},
      {"kill_group", [](auto&, auto) -> long { return kill(0, 0); }},
      {"kill_self", [](auto&, auto) -> long { return kill(getpid(), 0); }},
      {"tgkill_parent", [](auto&, auto) { return syscall(SYS_tgkill, getppid(), getppid(), 0); }},
      {"pidfd_parent", [](auto&, auto) { return Closed(syscall(SYS_pidfd_open, getppid(), 0)); }},
      {"limit_parent",
       [](auto&, auto) -> long {
         rlimit limit = {};
         return prlimit(getppid(), RLIMIT_NOFILE, nullptr, &limit);
       }},
      {"pin_parent",
       [](auto&, auto) -> long {
         cpu_set_t cpus;
         sched_getaffinity(getppid(), sizeof(cpus), &cpus);
         return sched_setaffinity(getppid(), sizeof(cpus), &cpus);
       }},
      {"signal_by_input", [](auto&, auto) { return SetOwner(F_SETOWN); }},
      {"signal_by_wide_input", [](auto&, auto) { return SetOwner((1L << 32) | F_SETOWN); }},
      {"renice_parent",
       [](auto&, auto) -> long {
         return setpriority(PRIO_PROCESS, static_cast<id_t>(getppid()),
                            getpriority(PRIO_PROCESS, static_cast<id_t>(getppid())));
       }},
      {"environment",
       [](auto& t, auto) -> long {
         return getenv(t.c_str()) != nullptr ? 0 : (errno = ENOENT, -1);
       }},
  };
}

AttemptsByName WithPrograms() {
  return {
      {"fork", [](auto&, auto) { return Ended(syscall(SYS_fork)); }},
      {"vfork", [](auto&, auto) { return Ended(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }},
      {"posix_fork", [](auto&, auto) { return Ended(fork()); }},
      {"clone3", [](auto&, auto) { return syscall(SYS_clone3, nullptr, 0); }},
      {"execve", [](auto&, auto) { return syscall(SYS_execve, kBadPointer, 0, 0); }},
      {"execveat", [](auto&, auto) { return syscall(SYS_execveat, -1, kBadPointer, 0, 0, 0); }},
      {"system", [](auto&, auto) -> long { return system("true") == 0 ? 0 : -1; }},
      {"early_fork", [](auto&, auto) { return Again(early.child); }},
      {"early_socket", [](auto&, auto) { return Again(early.socket); }},
      {"early_open", [](auto&, auto) { return Again(early.file); }},
  };
}

AttemptsByName OverTheNetwork() {
  return {
      {"connect", [](auto&, int64_t n) { return OverIp(Way::kConnect, uint16_t(n)); }},
      {"bind", [](auto&, auto) { return OverIp(Way::kBind, 0); }},
      {"listen", [](auto&, auto) { return OverIp(Way::kListen, 0); }},
      {"udp", [](auto&, auto) { return Closed(socket(AF_INET, SOCK_DGRAM, 0)); }},
      {"tcp6", [](auto&, auto) { return Closed(socket(AF_INET6, SOCK_STREAM, 0)); }},
      {"raw_socket", [](auto&, auto) { return Closed(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)); }},
      {"packet_socket", [](auto&, auto) { return Closed(socket(AF_PACKET, SOCK_RAW, 0)); }},
      {"netlink", [](auto&, auto) { return Closed(socket(AF_NETLINK, SOCK_RAW, 0)); }},
      {"unix_socket", [](auto& t, auto) { return ConnectUnix(t); }},
      {"datagram_pair", [](auto&, auto) { return SocketPair(SOCK_DGRAM); }},
      {"socket_pair", [](auto&, auto) { return SocketPair(SOCK_STREAM); }},
  };
}

// A wrong pointer ends what was let through.
AttemptsByName OnTheKernel() {
  return {
      {"mount", [](auto&, auto) { return syscall(SYS_mount, 0, kBadPointer, 0, 0, 0); }},
      {"chroot", [](auto&, auto) { return syscall(SYS_chroot, kBadPointer); }},
      {"unshare", [](auto&, auto) { return syscall(SYS_unshare, 0); }},
      {"setns", [](auto&, auto) { return syscall(SYS_setns, -1, 0); }},
      {"bpf", [](auto&, auto) { return syscall(SYS_bpf, 0, kBadPointer, 1); }},
      {"io_uring", [](auto&, auto) { return syscall(SYS_io_uring_setup, 1, kBadPointer); }},
      {"userfaultfd", [](auto&, auto) { return Closed(syscall(SYS_userfaultfd, 0)); }},
      {"perf", [](auto&, auto) { return syscall(SYS_perf_event_open, kBadPointer, 0, 0, -1, 0); }},
      {"keyctl", [](auto&, auto) { return syscall(SYS_keyctl, -1, 0, 0, 0, 0); }},
      {"kexec", [](auto&, auto) { return syscall(SYS_kexec_load, 0, ~0ul, kBadPointer, 0); }},
      {"module", [](auto&, auto) { return syscall(SYS_init_module, kBadPointer, 1, kBadPointer); }},
      {"clock", [](auto&, auto) { return syscall(SYS_clock_settime, 0, kBadPointer); }},
      {"handle", [](auto&, auto) { return syscall(SYS_open_by_handle_at, -1, kBadPointer, 0); }},
      {"memfd", [](auto&, auto) { return Closed(syscall(SYS_memfd_create, "x", 0)); }},
      {"shm",
       [](auto&, auto) -> long {
         const int id = shmget(IPC_PRIVATE, 4096, 0600);
         return id < 0 ? -1 : shmctl(id, IPC_RMID, nullptr);
       }},
      {"setuid", [](auto&, auto) { return syscall(SYS_setuid, getuid()); }},
      {"x32", [](auto&, auto) { return syscall(kX32 + SYS_getpid); }},
  };
}

AttemptsByName TakingTooMuch() {
  return {
      {"fds", [](auto&, int64_t n) { return TakeFds(n); }},
      {"memory",
       [](auto&, int64_t n) -> long {
         const size_t size = static_cast<size_t>(n) << 20;
         void* const memory = malloc(size);
         const long done = Touch(memory, size);
         free(memory);
         return done;
       }},
      {"threads_big",
       [](auto&, int64_t n) -> long {
         return StartThreads(n, size_t{8} << 20) ? 0 : (errno = EAGAIN, -1);
       }},
  };
}

const AttemptsByName& Attempts() {
  static const auto* const attempts = [] {
    auto* const all = new AttemptsByName;
    for (AttemptsByName some : {OnFiles(), OnOthers(), WithPrograms(), OverTheNetwork(),
                                OnTheKernel(), TakingTooMuch()}) {
      all->merge(some);
    }
    return all;
  }();
  return *attempts;
}

class Hostile final : public tidemark::Connector, public tidemark::Checkable {
 public:
  explicit Hostile(const tidemark::Config& config)
      : attack_(config.GetString("attack")),
        target_(config.GetString("target")),
        number_(config.GetInt64("number")) {}

  absl::Status Check() override {
    const auto found = Attempts().find(attack_);
    if (found == Attempts().end()) return absl::InvalidArgumentError("no such attack: " + attack_);
    errno = 0;
    if (found->second(target_, number_) >= 0) return absl::OkStatus();
    const char* const name = strerrorname_np(errno);
    return absl::PermissionDeniedError(name == nullptr ? "no errno" : name);
  }

  absl::StatusOr<tidemark::Schema> Schema() override {
    return tidemark::Schema{tidemark::Table("t").Key("id", tidemark::kLong)};
  }

  absl::Status Update(const tidemark::UpdateRequest&, tidemark::Sink& sink) override {
    if (absl::Status s = sink.Upsert("t", {{"id", int64_t{1}}}); !s.ok()) return s;
    if (absl::Status s = sink.Checkpoint("1"); !s.ok()) return s;
    if (attack_ == "shared_memory") {  // counted by no limit of the process
      const size_t size = static_cast<size_t>(number_) << 20;
      Touch(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), size);
      while (true) pause();
    }
    if (attack_ == "threads") {
      StartThreads(number_, size_t{64} * 1024);
      while (true) pause();
    }
    if (attack_ == "channel") {  // the socket that carries the rows
      const std::string garbage(100'000, '\xff');
      while (write(3, garbage.data(), garbage.size()) >= 0 || errno == EAGAIN) {
      }
    }
    return Check();
  }

 private:
  const std::string attack_;
  const std::string target_;
  const int64_t number_;
};

}  // namespace

TIDEMARK_EXPORT_CONNECTOR(
    Hostile, .id = "hostile", .version = "1.0.0", .description = "Attacks its host",
    .capabilities = tidemark::kNeedsFiles,
    .options = {{"attack", tidemark::kString, tidemark::Default("none"), "what to try"},
                {"target", tidemark::kString, tidemark::Default(""), "a path"},
                {"allowed", tidemark::kString, tidemark::kReadsPath, "a path that is read"},
                {"number", tidemark::kLong, tidemark::Default("0"), "a port or an amount"}});
