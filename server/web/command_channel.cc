#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/clock.h"
#include "core/text.h"
#include "web/alert_channels.h"

namespace tidemark {
namespace {

constexpr size_t kErrorBytes = 2000;  // of what the command writes to standard error

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  void Set(int fd) {
    Close();
    fd_ = fd;
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

absl::Status SystemError(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

// The text as a file without a name, at its beginning: nobody has to write while the command reads.
absl::Status MakeInput(const std::string& text, Descriptor* input) {
  input->Set(memfd_create("notice", MFD_CLOEXEC));
  if (!input->ok()) return SystemError("no file for the notice");
  for (size_t written = 0; written < text.size();) {
    const ssize_t got = write(input->get(), text.data() + written, text.size() - written);
    if (got <= 0) return SystemError("the notice cannot be written");
    written += static_cast<size_t>(got);
  }
  if (lseek(input->get(), 0, SEEK_SET) != 0) return SystemError("the notice cannot be rewound");
  return absl::OkStatus();
}

// What posix_spawn takes, with its clean-up.
struct SpawnSettings {
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

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// A session of its own (so that its whole group can be killed), default signals, nothing open but
// 0, 1 and 2.
absl::StatusOr<pid_t> Spawn(std::vector<std::string> argv, std::vector<std::string> environment,
                            int input, int errors) {
  SpawnSettings settings;
  posix_spawn_file_actions_adddup2(&settings.actions, input, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&settings.actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&settings.actions, errors, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, STDERR_FILENO + 1);
  posix_spawn_file_actions_addchdir_np(&settings.actions, "/");
  sigset_t all;
  sigset_t none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&settings.attributes, &all);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setflags(
      &settings.attributes,
      static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
  pid_t child = -1;
  const int failed = posix_spawn(&child, argv[0].c_str(), &settings.actions, &settings.attributes,
                                 Pointers(argv).data(), Pointers(environment).data());
  if (failed != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(argv[0], " cannot be started: ", std::strerror(failed)));
  }
  return child;
}

class CommandChannel : public AlertChannel {
 public:
  CommandChannel(CommandSettings settings, const Redactor* redactor)
      : settings_(std::move(settings)), redactor_(*redactor) {}

  absl::Status Send(const AlertNotice& notice) override {
    Descriptor input;
    if (absl::Status made = MakeInput(NoticeJson(notice) + "\n", &input); !made.ok()) return made;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("no pipe for the command's errors");
    Descriptor errors(ends[0]);
    Descriptor errors_in(ends[1]);
    absl::StatusOr<pid_t> child =
        Spawn(settings_.argv, Environment(notice), input.get(), errors_in.get());
    if (!child.ok()) return child.status();
    errors_in.Close();
    return Wait(*child, errors.get());
  }

 private:
  std::vector<std::string> Environment(const AlertNotice& notice) const {
    std::vector<std::string> out = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
                                    absl::StrCat("TIDEMARK_EVENT=", AlertEventName(notice.event)),
                                    absl::StrCat("TIDEMARK_RULE=", notice.rule),
                                    absl::StrCat("TIDEMARK_CONNECTION=", notice.connection)};
    for (const auto& [name, value] : settings_.environment) {
      out.push_back(absl::StrCat(name, "=", value));
    }
    return out;
  }

  // Until the command has ended, or its time has; then its group is killed.
  absl::Status Wait(pid_t child, int errors) const {
    const Descriptor ended(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
    const absl::Duration deadline = Clock::Real().Monotonic() + settings_.timeout;
    std::string text;
    const bool in_time = ended.ok() && ReadUntilEnd(ended.get(), errors, deadline, &text);
    // Also what it left behind in its group; before waitpid(), which frees the group's number.
    kill(-child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!in_time) {
      return absl::DeadlineExceededError(absl::StrCat(settings_.argv[0], " was killed after ",
                                                      absl::FormatDuration(settings_.timeout)));
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat(
        settings_.argv[0], WIFEXITED(status) ? " ended with code " : " ended by signal ",
        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), text.empty() ? "" : ": ",
        redactor_.Apply(Printable(text))));
  }

  // True when the command ended before the deadline.
  static bool ReadUntilEnd(int ended, int errors, absl::Duration deadline, std::string* text) {
    bool open = true;
    for (;;) {
      const int64_t left = absl::ToInt64Milliseconds(deadline - Clock::Real().Monotonic());
      if (left <= 0) return false;
      std::array<pollfd, 2> wait = {{{ended, POLLIN, 0}, {open ? errors : -1, POLLIN, 0}}};
      if (poll(wait.data(), wait.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
        return false;
      }
      if (wait[1].revents != 0) {
        std::array<char, 512> bytes;
        const ssize_t got = read(errors, bytes.data(), bytes.size());
        open = got > 0;
        if (got > 0 && text->size() < kErrorBytes) {
          text->append(bytes.data(),
                       std::min(static_cast<size_t>(got), kErrorBytes - text->size()));
        }
      } else if (wait[0].revents != 0) {
        return true;
      }
    }
  }

  static std::string Printable(const std::string& text) {
    std::string out(CutUtf8(absl::StripAsciiWhitespace(text), kErrorBytes));
    for (char& c : out) {
      if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
    }
    return out;
  }

  const CommandSettings settings_;
  const Redactor& redactor_;
};

}  // namespace

std::unique_ptr<AlertChannel> MakeCommandChannel(CommandSettings settings,
                                                 const Redactor* redactor) {
  return std::make_unique<CommandChannel>(std::move(settings), redactor);
}

}  // namespace tidemark
