#include "tests/plugins/local_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

LocalServer::LocalServer(std::vector<std::string> command, std::vector<std::string> environment,
                         const std::string& ready) {
  int pipe_fds[2];
  int lifeline[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0 || pipe2(lifeline, O_CLOEXEC) != 0) {
    ADD_FAILURE() << "no pipe";
    return;
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, lifeline[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  environment.push_back("TIDEMARK_LIFELINE=1");
  environment.push_back("PYTHONUNBUFFERED=1");
  environment.push_back("PYTHONDONTWRITEBYTECODE=1");
  environment.push_back("PATH=/usr/bin:/bin");
  const int error = posix_spawn(&pid_, command[0].c_str(), &actions, &attributes,
                                Pointers(command).data(), Pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(pipe_fds[1]);
  close(lifeline[0]);
  lifeline_ = lifeline[1];
  if (error != 0) {
    pid_ = -1;
    close(pipe_fds[0]);
    ADD_FAILURE() << command[0] << " does not start: " << strerror(error);
    return;
  }
  fd_ = pipe_fds[0];
  reader_ = std::thread([this, ready] { Read(ready); });
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
  for (const int fd : {fd_, lifeline_}) {
    if (fd >= 0) close(fd);
  }
}

std::unique_ptr<LocalServer> LocalServer::Script(const std::string& name,
                                                 const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {
      TIDEMARK_PYTHON, absl::StrCat(TIDEMARK_SERVERS_FOLDER, "/", name), "--port", "0"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return std::make_unique<LocalServer>(std::move(command), std::vector<std::string>{},
                                       "listening on ");
}

void LocalServer::Read(const std::string& ready) {
  std::string partial;
  char buffer[4096];
  ssize_t size = 1;
  while (size > 0) {
    pollfd readable = {.fd = fd_, .events = POLLIN, .revents = 0};
    poll(&readable, 1, -1);
    // Taken and kept under the lock, so that with an empty pipe nothing is missing from lines_.
    const std::lock_guard<std::mutex> lock(mutex_);
    size = read(fd_, buffer, sizeof(buffer));
    for (ssize_t i = 0; i < size; ++i) {
      if (buffer[i] != '\n') {
        partial.push_back(buffer[i]);
        continue;
      }
      if (ready_line_.empty() && absl::StrContains(partial, ready)) ready_line_ = partial;
      lines_.push_back(std::exchange(partial, ""));
    }
    ended_ = size <= 0;
    changed_.notify_all();
  }
}

std::string LocalServer::Url(absl::string_view path) const {
  return absl::StrCat("http://127.0.0.1:", port_, path);
}

std::vector<std::string> LocalServer::lines() const {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] {
    int waiting = 0;
    return ended_ || fd_ < 0 || ioctl(fd_, FIONREAD, &waiting) != 0 || waiting == 0;
  });
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
