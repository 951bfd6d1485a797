// A hostile plugin in tidemark-plugin-host: what it tries fails with the sandbox, and is seen to
// work without it, so that no test passes for another reason.
#include "plugin_host/sandbox.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/mutex.h"
#include "core/sandbox_policy.h"
#include "core/schema.h"
#include "source/connector_launch.h"
#include "tests/source/event_text.h"
#include "tests/source/polling.h"
#include "tests/source/proc_scan.h"
#include "tests/source/test_settings.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;

const std::string kHostile = TIDEMARK_TEST_PLUGINS "/hostile.so";

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // no limits of memory then
#else
constexpr bool kSanitized = false;
#endif

class SandboxTest : public testing::Test {
 protected:
  SandboxTest() {
    std::string folder = (fs::temp_directory_path() / "tidemark_sandbox_XXXXXX").string();
    folder_ = mkdtemp(folder.data());
    fs::create_directory(folder_ + "/inside");
    for (const char* name : {"/secret", "/inside/rows", "/inside/more"}) {
      std::ofstream(folder_ + name) << "text\n";
    }
    launch_.label = "plugin hostile";
    launch_.limits.stall = absl::Seconds(20);
    launch_.log = [this](int, absl::string_view line) {
      MutexLock lock(mutex_);
      lines_.emplace_back(line);
    };
    setenv("TIDEMARK_TEST_SECRET", "hunter2", 1);
  }
  ~SandboxTest() override {
    source_ = nullptr;
    EXPECT_EQ(OwnChildren(), std::vector<pid_t>{});
    fs::remove_all(folder_);
  }

  void Launch(const std::string& attack, const std::string& target = "", int64_t number = 0) {
    source_ = nullptr;
    launch_.settings = ToSettings(
        {{"attack", attack}, {"target", target}, {"allowed", std::string()}, {"number", number}});
    absl::StatusOr<std::unique_ptr<ChangeSource>> source = LaunchChild(launch_, {host_, kHostile});
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
  }

  // "OK", the name of errno, or the whole status when it is not the plugin's answer.
  std::string Try(const std::string& attack, const std::string& target = "", int64_t number = 0) {
    Launch(attack, target, number);
    const absl::Status status = source_->Check();
    absl::string_view text = status.message();
    if (status.ok()) return "OK";
    if (absl::IsPermissionDenied(status) && absl::ConsumePrefix(&text, "plugin hostile: ")) {
      return std::string(text);
    }
    return status.ToString();
  }

  // The verdict of a sync.
  absl::Status Sync(const std::string& attack, int64_t number = 0) {
    Launch(attack, "", number);
    absl::StatusOr<std::vector<TableSchema>> tables = source_->Schema();
    if (!tables.ok()) return tables.status();
    UpdateStart start;
    start.selections.resize(tables->size());
    if (absl::Status s = source_->Start(start); !s.ok()) return s;
    return DrainEvents(*source_).status;
  }

  // A line of /proc/PID/status of the plugin's process, for each of its threads.
  std::set<std::string> StatusLines(const std::string& name) {
    std::set<std::string> lines;
    const std::vector<pid_t> children = OwnChildren();
    if (children.size() != 1) return lines;
    for (const auto& thread :
         fs::directory_iterator(absl::StrCat("/proc/", children[0], "/task"))) {
      std::ifstream status(thread.path() / "status");
      for (std::string line; std::getline(status, line);) {
        if (absl::StartsWith(line, name + ":")) lines.insert(line.substr(name.size() + 2));
      }
    }
    return lines;
  }

  std::string host_ = TIDEMARK_PLUGIN_HOST;
  std::string folder_;
  ConnectorLaunch launch_;
  std::unique_ptr<ChangeSource> source_;
  Mutex mutex_;
  std::vector<std::string> lines_;
};

// ---- what it tries, and what it gets ----

struct Attack {
  const char* name;
  const char* answer;       // with the sandbox
  const char* target = "";  // "/..." below the test's folder, "!/..." on the machine
  bool network = false;     // the policy allows it
  bool needs_root = false;  // without a sandbox, only root is let through
};

class AttackTest : public SandboxTest, public testing::WithParamInterface<Attack> {};

TEST_P(AttackTest, FailsInTheSandboxAndWorksWithout) {
  const Attack& attack = GetParam();
  absl::string_view target = attack.target;
  const std::string path = absl::ConsumePrefix(&target, "!") ? std::string(target)
                           : absl::StartsWith(target, "/")   ? absl::StrCat(folder_, target)
                                                             : std::string(target);
  launch_.sandbox.network = attack.network;
  launch_.sandbox.read_paths = {folder_ + "/inside"};
  const int64_t number = 600;  // descriptors
  EXPECT_EQ(Try(attack.name, path, number), attack.answer);
  EXPECT_TRUE(source_->Describe().ok()) << "the process lives on";
  if (attack.needs_root && geteuid() != 0) return;
  launch_.sandbox = {.enabled = false};
  const std::string without = Try(attack.name, path, number);
  EXPECT_NE(without, attack.answer);
  EXPECT_TRUE(source_->Describe().ok()) << without;
}

INSTANTIATE_TEST_SUITE_P(
    Files, AttackTest,
    testing::Values(
        Attack{"read", "EACCES", "!/etc/passwd"},
        Attack{.name = "read", .answer = "EACCES", .target = "!/etc/shadow", .needs_root = true},
        Attack{"read", "EACCES", "!/proc/self/environ"}, Attack{"read", "EACCES", "!/proc/version"},
        Attack{"read", "EACCES", "/secret"}, Attack{"write", "EACCES", "/secret"},
        Attack{"write", "EACCES", "/inside/rows"}, Attack{"create", "EACCES", "/made"},
        Attack{"create", "EACCES", "/inside/made"}, Attack{"list", "EACCES", "!/"},
        Attack{"list", "EACCES", "!/tmp"}, Attack{"truncate", "EACCES", "/secret"},
        Attack{"truncate", "EACCES", "/inside/rows"}, Attack{"unlink", "EACCES", "/secret"},
        Attack{"unlink", "EACCES", "/inside/rows"}, Attack{"mkdir", "EACCES", "/made"},
        Attack{"rename", "EACCES", "/secret"}, Attack{"link", "EACCES", "/secret"},
        Attack{"symlink", "EACCES", "/made"}, Attack{"fifo", "EACCES", "/made"},
        Attack{"chmod", "EPERM", "/secret"}, Attack{"chmod", "EPERM", "/inside/rows"},
        Attack{"chown", "EPERM", "/secret"}, Attack{"xattr", "EPERM", "/secret"},
        Attack{"touch", "EPERM", "/secret"}, Attack{"through_proc", "EACCES", "/secret"},
        Attack{"through_dots", "EACCES", "/secret"}, Attack{"early_open", "EACCES"},
        Attack{"watch", "EPERM"}));

INSTANTIATE_TEST_SUITE_P(
    Processes, AttackTest,
    testing::Values(Attack{"parent_environ", "EACCES"}, Attack{"parent_mem", "EACCES"},
                    Attack{"parent_fd", "EACCES"},
                    Attack{.name = "parent_memory", .answer = "EPERM", .needs_root = true},
                    Attack{"ptrace", "EPERM"},
                    Attack{.name = "kill_init", .answer = "EPERM", .needs_root = true},
                    Attack{"kill_parent", "EPERM"}, Attack{"kill_group", "EPERM"},
                    Attack{"tgkill_parent", "EPERM"}, Attack{"pidfd_parent", "EPERM"},
                    Attack{"limit_parent", "EPERM"}, Attack{"renice_parent", "EPERM"},
                    Attack{"pin_parent", "EPERM"}, Attack{"signal_by_input", "EPERM"},
                    Attack{"signal_by_wide_input", "EPERM"},
                    Attack{"environment", "ENOENT", "TIDEMARK_TEST_SECRET"},
                    Attack{"fork", "EPERM"}, Attack{"vfork", "EPERM"},
                    Attack{"posix_fork", "EPERM"}, Attack{"clone3", "ENOSYS"},
                    Attack{"execve", "EPERM"}, Attack{"execveat", "EPERM"},
                    Attack{"system", "EPERM"}, Attack{"early_fork", "EPERM"},
                    Attack{"fds", "EMFILE"}));

INSTANTIATE_TEST_SUITE_P(
    Network, AttackTest,
    testing::Values(Attack{"connect", "EPERM"}, Attack{"bind", "EPERM"}, Attack{"listen", "EPERM"},
                    Attack{"udp", "EPERM"}, Attack{"tcp6", "EPERM"}, Attack{"netlink", "EPERM"},
                    Attack{"early_socket", "EPERM"}, Attack{"datagram_pair", "EPERM"},
                    Attack{.name = "bind", .answer = "EPERM", .network = true},
                    Attack{.name = "listen", .answer = "EPERM", .network = true},
                    Attack{.name = "netlink", .answer = "EPERM", .network = true},
                    Attack{"raw_socket", "EPERM", "", true, true},
                    Attack{"packet_socket", "EPERM", "", true, true}));

INSTANTIATE_TEST_SUITE_P(
    Kernel, AttackTest,
    testing::Values(Attack{"mount", "EPERM", "", false, true},
                    Attack{"chroot", "EPERM", "", false, true}, Attack{"unshare", "EPERM"},
                    Attack{"setns", "EPERM"}, Attack{"bpf", "EPERM", "", false, true},
                    Attack{"io_uring", "EPERM"}, Attack{"userfaultfd", "EPERM", "", false, true},
                    Attack{"perf", "EPERM", "", false, true}, Attack{"keyctl", "EPERM"},
                    Attack{"kexec", "EPERM", "", false, true},
                    Attack{"module", "EPERM", "", false, true},
                    Attack{"clock", "EPERM", "", false, true},
                    Attack{"handle", "EPERM", "", false, true}, Attack{"memfd", "EPERM"},
                    Attack{"shm", "EPERM"}, Attack{"setuid", "EPERM"}, Attack{"x32", "EPERM"}));

// ---- what it may ----

TEST_F(SandboxTest, ReadsWhatItIsGivenAndNothingBeside) {
  launch_.sandbox.read_paths = {folder_ + "/inside/rows", folder_ + "/not there"};
  EXPECT_EQ(Try("read", folder_ + "/inside/rows"), "OK");
  EXPECT_EQ(Try("read", folder_ + "/inside/more"), "EACCES");
  EXPECT_EQ(Try("list", folder_ + "/inside"), "EACCES");
  launch_.sandbox.read_paths = {folder_ + "/inside"};
  EXPECT_EQ(Try("read", folder_ + "/inside/more"), "OK");
  EXPECT_EQ(Try("list", folder_ + "/inside"), "OK");
  // A link that leads out of the folder leads nowhere.
  fs::create_symlink(folder_ + "/secret", folder_ + "/inside/link");
  EXPECT_EQ(Try("read", folder_ + "/inside/link"), "EACCES");
}

TEST_F(SandboxTest, WritesWhatItIsGiven) {
  launch_.sandbox.write_paths = {folder_ + "/inside"};
  for (const char* attack : {"read", "write", "truncate"}) {
    EXPECT_EQ(Try(attack, folder_ + "/inside/rows"), "OK") << attack;
  }
  EXPECT_EQ(Try("create", folder_ + "/inside/made"), "OK");
  EXPECT_EQ(Try("rename", folder_ + "/inside/made"), "OK");
  EXPECT_EQ(Try("unlink", folder_ + "/inside/made2"), "OK");
  EXPECT_EQ(Try("mkdir", folder_ + "/inside/folder"), "OK");
  for (const char* attack : {"symlink", "fifo"}) {
    EXPECT_EQ(Try(attack, folder_ + "/inside/made"), "EACCES") << attack;
  }
  EXPECT_EQ(Try("write", folder_ + "/secret"), "EACCES");
}

TEST_F(SandboxTest, HasATemporaryFolderThatEndsWithIt) {
  setenv("TMPDIR", folder_.c_str(), 1);
  EXPECT_EQ(Try("scratch"), "OK");
  size_t folders = 0;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    folders += absl::StartsWith(entry.path().filename().string(), "tidemark-scratch-") ? 1 : 0;
  }
  EXPECT_EQ(folders, 1u);
  EXPECT_EQ(Try("scratch_symlink"), "EACCES");
  source_ = nullptr;
  unsetenv("TMPDIR");
  for (const auto& entry : fs::directory_iterator(folder_)) {
    EXPECT_FALSE(absl::StartsWith(entry.path().filename().string(), "tidemark-scratch-"));
  }
}

TEST_F(SandboxTest, MayDoWhatProgramsDo) {
  for (const char* attack : {"none", "socket_pair", "kill_self"}) EXPECT_EQ(Try(attack), "OK");
  for (const char* path :
       {"/dev/urandom", "/usr/share/zoneinfo/Europe/Berlin", "/etc/ld.so.cache"}) {
    if (fs::exists(path)) {
      EXPECT_EQ(Try("read", path), "OK") << path;
    }
  }
  EXPECT_EQ(Try("write", "/dev/null"), "OK");
}

TEST_F(SandboxTest, WithNetworkItConnectsAndResolvesNames) {
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listening, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listening, 5), 0);
  ASSERT_EQ(getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_EQ(Try("connect", "", ntohs(address.sin_port)), "EPERM");
  launch_.sandbox.network = true;
  EXPECT_EQ(Try("connect", "", ntohs(address.sin_port)), "OK");
  EXPECT_EQ(Try("udp"), "OK");
  for (const char* path : {"/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl/certs"}) {
    if (fs::exists(path)) {
      EXPECT_EQ(Try("read", path), "OK") << path;
    }
  }
  EXPECT_EQ(Try("read", "/etc/passwd"), "EACCES");
  close(listening);
}

// Whoever may connect to a server's socket rules it: the peer's user is all it asks for.
TEST_F(SandboxTest, ReachesNoSocketOfAServerOfItsUser) {
  const std::string path = folder_ + "/inside/control.sock";
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(listening, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(listening, 5), 0);
  launch_.sandbox.write_paths = {folder_ + "/inside"};
  EXPECT_EQ(Try("unix_socket", path), "EPERM");
  launch_.sandbox.network = true;
  EXPECT_EQ(Try("unix_socket", path), "EPERM");
  launch_.sandbox = {.enabled = false};
  EXPECT_EQ(Try("unix_socket", path), "OK");
  close(listening);
}

// ---- too much of something ----

TEST_F(SandboxTest, MemoryIsRefusedBeforeItIsTaken) {
  launch_.limits.memory_bytes = uint64_t{128} << 20;
  if (kSanitized) {
    EXPECT_TRUE(absl::StrContains(Try("memory", "", 4096), "MiB of memory"));
    return;
  }
  EXPECT_EQ(Try("memory", "", 4096), "ENOMEM");
  EXPECT_EQ(Try("memory", "", 64), "OK");
  EXPECT_EQ(Try("threads_big", "", 1000), "EAGAIN");
  launch_.sandbox = {.enabled = false};
  EXPECT_TRUE(absl::StrContains(Try("memory", "", 1024), "the limit is 128 MiB"));
  EXPECT_EQ(Try("threads_big", "", 1000), "OK");
}

TEST_F(SandboxTest, MemoryAndThreadsThatNoLimitCountsEndTheSync) {
  launch_.limits.memory_bytes = uint64_t{kSanitized ? 512 : 128} << 20;
  absl::Status status = Sync("shared_memory", 2048);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "plugin hostile: ")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "MiB of memory")) << status;
  launch_.limits.memory_bytes = uint64_t{4} << 30;
  status = Sync("threads", 2000);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(absl::StrContains(status.message(),
                                "plugin hostile: its process was ended because "
                                "it had"))
      << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "threads; the limit is 256")) << status;
}

TEST_F(SandboxTest, GarbageOnTheChannelEndsTheSyncOnly) {
  const absl::Status status = Sync("channel");
  EXPECT_FALSE(status.ok());
  EXPECT_TRUE(absl::StrContains(status.message(), "plugin hostile")) << status;
  EXPECT_EQ(Try("none"), "OK");
}

// ---- how it is made ----

TEST_F(SandboxTest, BindsEveryThreadOfTheProcess) {
  ASSERT_EQ(Try("none"), "OK");
  EXPECT_EQ(StatusLines("NoNewPrivs"), std::set<std::string>{"1"});
  EXPECT_EQ(StatusLines("Seccomp"), std::set<std::string>{"2"});
  EXPECT_GT(StatusLines("Pid").size(), 2u) << "threads";
  for (const std::string& set : StatusLines("CapPrm")) {
    uint64_t bits = 0;
    ASSERT_TRUE(absl::SimpleHexAtoi(set, &bits)) << set;
    EXPECT_EQ(bits & ~uint64_t{2}, 0u) << "CAP_DAC_OVERRIDE at most";
  }
}

TEST_F(SandboxTest, IsMadeForTheCapabilitiesThatWereDescribed) {
  launch_.sandbox.capabilities = kNeedsFiles;
  EXPECT_EQ(Try("none"), "OK");
  launch_.sandbox.capabilities = kNeedsFiles | kNeedsNetwork;
  launch_.sandbox.network = true;
  Launch("none");
  const absl::Status status = source_->Check();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "does not say what it said a moment ago"))
      << status;
}

TEST_F(SandboxTest, AnOlderKernelConfinesWhatItCan) {
  host_ = TIDEMARK_OLD_KERNEL "_landlock";
  EXPECT_EQ(Try("read", folder_ + "/secret"), "OK");
  EXPECT_EQ(Try("fork"), "EPERM");
  EXPECT_EQ(Try("connect"), "EPERM");
  host_ = TIDEMARK_OLD_KERNEL "_seccomp";
  EXPECT_EQ(Try("read", folder_ + "/secret"), "EACCES");
  EXPECT_EQ(Try("fork"), "OK");
}

TEST_F(SandboxTest, NoPluginRunsWhereTheKernelRefuses) {
  host_ = TIDEMARK_OLD_KERNEL "_refusing";
  Launch("none");
  const absl::Status status = source_->Describe().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "landlock: restrict_self")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "sync.sandbox")) << status;
}

TEST(SandboxGapsTest, ThisKernelHasNone) { EXPECT_EQ(SandboxGaps(), std::vector<std::string>{}); }

TEST(SandboxPolicyTest, SurvivesItsWayAsArguments) {
  SandboxPolicy policy;
  EXPECT_EQ(*ParseSandboxArguments(SandboxArguments(policy)), policy);
  policy = {.enabled = false,
            .network = true,
            .read_paths = {"/a b", "/c=d", "/--network"},
            .write_paths = {"/e"},
            .scratch = "/f",
            .memory_bytes = 12345678901,
            .open_files = 7,
            .capabilities = uint64_t{0}};
  EXPECT_EQ(*ParseSandboxArguments(SandboxArguments(policy)), policy);
  for (const char* wrong : {"", "--sandbox=on", "--network=1", "--read=", "--memory=0",
                            "--memory=x", "--capabilities=", "/a"}) {
    EXPECT_EQ(ParseSandboxArguments({std::string(wrong)}).status().code(),
              absl::StatusCode::kInvalidArgument)
        << wrong;
  }
}

}  // namespace
}  // namespace tidemark
