// A `tidemark` command running as a child of a test.
#ifndef TIDEMARK_TESTS_END_TO_END_STORES_TIDEMARK_RUN_H_
#define TIDEMARK_TESTS_END_TO_END_STORES_TIDEMARK_RUN_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace tidemark::test {

struct RunExit {
  bool killed = false;  // by a signal
  int code = 0;         // exit code, or the signal's number
};

// Confined to one thread. The destructor kills what still runs.
class TidemarkRun {
 public:
  // Starts build/.../bin/tidemark with `arguments`; both output streams go to `log_path`
  // (appended).
  TidemarkRun(const std::vector<std::string>& arguments, const std::string& log_path);
  ~TidemarkRun();
  TidemarkRun(const TidemarkRun&) = delete;
  TidemarkRun& operator=(const TidemarkRun&) = delete;

  pid_t pid() const { return pid_; }
  bool Running();  // reaps when it has ended
  RunExit Wait();
  void Kill(int signal);
  // The processes whose parent is this run (the plugin's host), while it lives.
  std::vector<pid_t> Children() const;

 private:
  pid_t pid_ = -1;
  bool ended_ = false;
  RunExit exit_;
};

// True once the process does not exist any more (a zombie counts as gone).
bool Gone(pid_t pid);

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_END_TO_END_STORES_TIDEMARK_RUN_H_
