#include "tests/servers/server_child.h"

#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace tidemark::test {
namespace {

const passwd* ServerUser() {
  if (geteuid() != 0) return nullptr;
  const passwd* user = getpwnam("postgres");
  return user != nullptr ? user : getpwnam("nobody");
}

}  // namespace

ServerFolder::ServerFolder() {
  char folder[] = "/tmp/tmsrv_XXXXXX";
  if (mkdtemp(folder) == nullptr) ADD_FAILURE() << "no temporary folder " << folder;
  path_ = folder;
  if (const passwd* user = ServerUser(); user != nullptr) {
    if (chown(folder, user->pw_uid, user->pw_gid) != 0) ADD_FAILURE() << "chown " << folder;
  }
}

ServerFolder::~ServerFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

ServerChild::ServerChild(std::vector<std::string> words, const std::string& folder,
                         const std::string& log) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const passwd* const user = ServerUser();
  const uid_t uid = user == nullptr ? getuid() : user->pw_uid;
  const gid_t gid = user == nullptr ? getgid() : user->pw_gid;
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ != 0) return;
  // In the child: only calls that are safe after fork.
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  const int in = open("/dev/null", O_RDONLY);
  if (out < 0 || in < 0 || chdir(folder.c_str()) != 0) _exit(126);
  dup2(in, 0);
  dup2(out, 1);
  dup2(out, 2);
  if (user != nullptr && (setgroups(0, nullptr) != 0 || setgid(gid) != 0 || setuid(uid) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // after setuid, which clears it
  if (getppid() != parent) _exit(126);
  execv(argv[0], argv.data());
  _exit(127);
}

bool ServerChild::Running() {
  if (ended_ || pid_ <= 0) return false;
  if (waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
  return !ended_;
}

int ServerChild::Wait() {
  while (!ended_ && pid_ > 0) {
    if (waitpid(pid_, &status_, 0) == pid_) ended_ = true;
    if (!ended_ && errno != EINTR) return 127;
  }
  return WIFSIGNALED(status_) ? 128 + WTERMSIG(status_) : WEXITSTATUS(status_);
}

void ServerChild::End(int signal) {
  if (!Running()) return;
  kill(pid_, signal);
  Wait();
}

bool WaitUntilReady(ServerChild& process, int seconds, const std::function<bool()>& ready) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (process.Running() && std::chrono::steady_clock::now() < until) {
    if (ready()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

std::string RequireProgram(const std::vector<std::string>& patterns, const std::string& package) {
  for (const std::string& pattern : patterns) {
    glob_t found = {};
    std::string path;
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0 && found.gl_pathc > 0) {
      path = found.gl_pathv[found.gl_pathc - 1];
    }
    globfree(&found);
    if (!path.empty()) return path;
  }
  ADD_FAILURE() << package << " is not installed; install it as root:\n"
                << "  sudo apt-get install -y --no-install-recommends " << package;
  return "";
}

}  // namespace tidemark::test
