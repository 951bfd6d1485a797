// Redis in a temporary folder, on a unix socket, with every write fsynced before it is answered.
#ifndef TIDEMARK_TESTS_SERVERS_REDIS_SERVER_H_
#define TIDEMARK_TESTS_SERVERS_REDIS_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/servers/server_child.h"

namespace tidemark::test {

// Confined to the thread that made it.
class RedisServer {
 public:
  // `settings`: further words of the command line ("--appendfsync", "everysec").
  explicit RedisServer(const std::vector<std::string>& settings = {});
  ~RedisServer();

  // One for the whole test program.
  static RedisServer& Shared();

  bool ok() const { return ok_; }
  std::string Address() const { return "unix:" + folder_.path() + "/redis.sock"; }
  pid_t pid() const { return process_->pid(); }

  // A command; its answer as text (a list: its items by spaces, nil: "").
  std::string Command(const std::vector<std::string>& words);

  // SIGKILL.
  void Kill();
  void Start();

 private:
  ServerFolder folder_;
  std::vector<std::string> settings_;
  std::string program_;
  std::unique_ptr<ServerChild> process_;
  bool ok_ = false;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVERS_REDIS_SERVER_H_
