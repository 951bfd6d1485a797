// The ledger connector's own log: what it was asked, what it gave, what it may have forgotten.
//
//   line = "start" epoch attempt position     ; Update() begins at this operation
//        | "sent" position                    ; handed over as the state of the next checkpoint
//        | "durable" position                 ; the engine says: committed up to here
//        | "pruned" position                  ; operations before this one are gone for good
// Each line is one write and synced before the connector goes on, so the log is what really
// happened, whatever is killed when.
#ifndef TIDEMARK_TESTS_FAULTS_LEDGER_LEDGER_LOG_H_
#define TIDEMARK_TESTS_FAULTS_LEDGER_LEDGER_LOG_H_

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tidemark::test {

// Thread-safe.
class LedgerLog {
 public:
  explicit LedgerLog(const std::string& path) : path_(path) {
    fd_ = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }
  ~LedgerLog() {
    if (fd_ >= 0) close(fd_);
  }
  LedgerLog(const LedgerLog&) = delete;
  LedgerLog& operator=(const LedgerLog&) = delete;

  absl::Status Append(absl::string_view line) {
    const std::string text = absl::StrCat(line, "\n");
    const std::lock_guard<std::mutex> lock(mutex_);
    if (fd_ >= 0 && write(fd_, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        fdatasync(fd_) == 0) {
      return absl::OkStatus();
    }
    return absl::InternalError(absl::StrCat("cannot write to the ledger ", path_));
  }

  // The first operation that is still there, over all runs that shared this log.
  int64_t Pruned() const {
    std::ifstream file(path_);
    int64_t pruned = 0;
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      std::string word;
      int64_t position = 0;
      if (words >> word >> position && word == "pruned") pruned = std::max(pruned, position);
    }
    return pruned;
  }

 private:
  const std::string path_;
  int fd_ = -1;
  std::mutex mutex_;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_FAULTS_LEDGER_LEDGER_LOG_H_
