// Ends or fails the ledger connector inside of a named call, as its options ask.
#ifndef TIDEMARK_TESTS_FAULTS_LEDGER_MISFORTUNE_H_
#define TIDEMARK_TESTS_FAULTS_LEDGER_MISFORTUNE_H_

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tidemark::test {

// Thread-safe.
class Misfortune {
 public:
  struct Options {
    std::string call;     // "": never
    std::string kind;     // kill, abort, exit, segv, throw, unavailable
    int64_t at = 1;       // the n-th such call of this process
    std::string marker;   // a file that is made when it happens
    bool always = false;  // also when the marker is there already
  };
  explicit Misfortune(Options options) : options_(std::move(options)) {}

  // At the start of each call. An error is to be returned.
  absl::Status Meet(absl::string_view call) {
    if (options_.call != call || ++calls_ != options_.at) return absl::OkStatus();
    if (!Mark() && !options_.always) return absl::OkStatus();
    if (options_.kind == "kill") kill(getpid(), SIGKILL);
    if (options_.kind == "abort") std::abort();
    if (options_.kind == "exit") _exit(7);
    if (options_.kind == "segv") raise(SIGSEGV);
    if (options_.kind == "throw") throw std::runtime_error("the ledger threw");
    return absl::UnavailableError("the ledger is out for a moment");
  }

 private:
  // False when it is marked already.
  bool Mark() const {
    const int fd = open(options_.marker.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    fsync(fd);
    close(fd);
    return true;
  }

  const Options options_;
  std::atomic<int64_t> calls_{0};
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_FAULTS_LEDGER_MISFORTUNE_H_
