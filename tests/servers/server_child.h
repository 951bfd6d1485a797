// A server as a child of a test program.
#ifndef TIDEMARK_TESTS_SERVERS_SERVER_CHILD_H_
#define TIDEMARK_TESTS_SERVERS_SERVER_CHILD_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace tidemark::test {

// A fresh folder with a short name (a unix socket's path has 107 bytes at most) that the servers'
// user owns; removed with everything in it by the destructor.
class ServerFolder {
 public:
  ServerFolder();
  ~ServerFolder();
  ServerFolder(const ServerFolder&) = delete;
  ServerFolder& operator=(const ServerFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Runs as an unprivileged user when the test is root, and dies with the test program. Confined to
// the thread that started it, which must outlive it.
class ServerChild {
 public:
  // The output goes to `log`, appended.
  ServerChild(std::vector<std::string> words, const std::string& folder, const std::string& log);
  ~ServerChild() { End(9); }
  ServerChild(const ServerChild&) = delete;
  ServerChild& operator=(const ServerChild&) = delete;

  pid_t pid() const { return pid_; }
  bool Running();
  // Sends the signal and waits for the end; nothing when it has ended.
  void End(int signal);
  // Waits for the end; the exit code, or 128 + the signal.
  int Wait();

 private:
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
};

// Asks `ready` until it says true; false after `seconds`, or when `process` has ended.
bool WaitUntilReady(ServerChild& process, int seconds, const std::function<bool()>& ready);

// The path of an installed program, or a failure of the test with the line that installs it.
std::string RequireProgram(const std::vector<std::string>& patterns, const std::string& package);

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVERS_SERVER_CHILD_H_
