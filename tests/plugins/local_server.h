// A server in a child process, for tests.
#ifndef TIDEMARK_TESTS_PLUGINS_LOCAL_SERVER_H_
#define TIDEMARK_TESTS_PLUGINS_LOCAL_SERVER_H_

#include <sys/types.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"

namespace tidemark_testing {

// Runs a program in a process group of its own, which ends with this object. What it prints is
// kept. A program that does not start fails the test that started it.
class LocalServer {
 public:
  // Waits for a line that contains `ready`, at most 60 s.
  LocalServer(std::vector<std::string> command, std::vector<std::string> environment,
              const std::string& ready);
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  // A script of tests/plugins/servers that says "listening on 127.0.0.1:PORT".
  static std::unique_ptr<LocalServer> Script(const std::string& name,
                                             const std::vector<std::string>& arguments = {});

  bool ready() const { return ready_; }
  int port() const { return port_; }  // of "127.0.0.1:PORT" in the ready line
  std::string Url(absl::string_view path) const;
  // Every line it printed before this call.
  std::vector<std::string> lines() const;
  // Waits for one that contains `text`, at most 60 s.
  void AwaitLine(absl::string_view text);
  // How many of them contain `text`.
  size_t CountLines(absl::string_view text) const;

 private:
  void Read(const std::string& ready);

  pid_t pid_ = -1;
  int fd_ = -1;        // what it prints
  int lifeline_ = -1;  // its stdin ends when this process does, however that ends
  int port_ = 0;
  bool ready_ = false;
  std::thread reader_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool ended_ = false;              // guarded by mutex_
  std::string ready_line_;          // guarded by mutex_
  std::vector<std::string> lines_;  // guarded by mutex_
};

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTS_PLUGINS_LOCAL_SERVER_H_
