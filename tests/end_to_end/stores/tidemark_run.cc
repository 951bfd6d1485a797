#include "tests/end_to_end/stores/tidemark_run.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

extern char** environ;

namespace tidemark::test {

TidemarkRun::TidemarkRun(const std::vector<std::string>& arguments, const std::string& log_path) {
  std::vector<std::string> words = {TIDEMARK_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  if (posix_spawn(&pid_, TIDEMARK_BINARY, &actions, nullptr, argv.data(), environ) != 0) {
    pid_ = -1;
    ended_ = true;
    exit_.code = 127;
  }
  posix_spawn_file_actions_destroy(&actions);
}

TidemarkRun::~TidemarkRun() {
  if (Running()) {
    Kill(SIGKILL);
    Wait();
  }
}

bool TidemarkRun::Running() {
  if (ended_) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  ended_ = true;
  exit_ = {WIFSIGNALED(status), WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)};
  return false;
}

RunExit TidemarkRun::Wait() {
  if (ended_) return exit_;
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  ended_ = true;
  exit_ = {WIFSIGNALED(status), WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)};
  return exit_;
}

void TidemarkRun::Kill(int signal) {
  if (!ended_) kill(pid_, signal);
}

std::vector<pid_t> TidemarkRun::Children() const {
  const std::string pid = std::to_string(pid_);
  std::vector<pid_t> children;
  // Threads spawn children too: every task has a list of its own.
  const std::string command = "cat /proc/" + pid + "/task/*/children 2>/dev/null";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return children;
  int child = 0;
  while (fscanf(pipe, "%d", &child) == 1) children.push_back(child);
  pclose(pipe);
  return children;
}

bool Gone(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(stat, line)) return true;
  const size_t name_end = line.rfind(')');
  return name_end == std::string::npos || line.substr(name_end + 2, 1) == "Z";
}

}  // namespace tidemark::test
