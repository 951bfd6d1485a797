#include "tests/plugins/local_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace tidemark_testing {
namespace {

constexpr std::chrono::seconds kStartTime{60};

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

LocalServer::LocalServer(std::vector<std::string> command, std::vector<std::string> environment,
                         std::string ready) {
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
    ADD_FAILURE() << "no pipe";
    return;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  environment.push_back("PYTHONUNBUFFERED=1");
  environment.push_back("PYTHONDONTWRITEBYTECODE=1");
  environment.push_back("PATH=/usr/bin:/bin");
  const int error = posix_spawn(&pid_, command[0].c_str(), &actions, &attributes,
                                Pointers(command).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(pipe_fds[1]);
  if (error != 0) {
    pid_ = -1;
    close(pipe_fds[0]);
    ADD_FAILURE() << command[0] << " does not start: " << strerror(error);
    return;
  }
  reader_ = std::thread([this, fd = pipe_fds[0], ready] { Read(fd, ready); });
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, kStartTime, [this] { return ended_ || !ready_line_.empty(); });
  ready_ = !ready_line_.empty();
  const size_t at = ready_line_.find("127.0.0.1:");
  if (at != std::string::npos) port_ = atoi(ready_line_.c_str() + at + 10);
  if (!ready_) {
    ADD_FAILURE() << absl::StrJoin(command, " ") << " is not ready; it said:\n"
                  << absl::StrJoin(lines_, "\n");
  }
}

LocalServer::~LocalServer() {
  if (pid_ > 0) {
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (reader_.joinable()) reader_.join();
}

std::unique_ptr<LocalServer> LocalServer::Script(const std::string& name,
                                                 std::vector<std::string> arguments) {
  std::vector<std::string> command = {
      TIDEMARK_PYTHON, absl::StrCat(TIDEMARK_SERVERS_FOLDER, "/", name), "--port", "0"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return std::make_unique<LocalServer>(std::move(command), std::vector<std::string>{},
                                       "listening on ");
}

void LocalServer::Read(int fd, const std::string& ready) {
  FILE* stream = fdopen(fd, "r");
  char buffer[4096];
  while (fgets(buffer, sizeof(buffer), stream) != nullptr) {
    std::string line(buffer);
    while (!line.empty() && line.back() == '\n') line.pop_back();
    const std::lock_guard<std::mutex> lock(mutex_);
    if (ready_line_.empty() && absl::StrContains(line, ready)) ready_line_ = line;
    lines_.push_back(std::move(line));
    changed_.notify_all();
  }
  fclose(stream);
  const std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

std::string LocalServer::Url(absl::string_view path) const {
  return absl::StrCat("http://127.0.0.1:", port_, path);
}

std::vector<std::string> LocalServer::lines() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return lines_;
}

void LocalServer::AwaitLine(absl::string_view text) {
  std::unique_lock<std::mutex> lock(mutex_);
  const bool came = changed_.wait_for(lock, kStartTime, [this, text] {
    return std::any_of(lines_.begin(), lines_.end(),
                       [text](const std::string& line) { return absl::StrContains(line, text); });
  });
  EXPECT_TRUE(came) << "the server never said " << text;
}

size_t LocalServer::CountLines(absl::string_view text) const {
  const std::vector<std::string> all = lines();
  return static_cast<size_t>(std::count_if(all.begin(), all.end(), [text](const std::string& line) {
    return absl::StrContains(line, text);
  }));
}

}  // namespace tidemark_testing
