#include "generator/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>

#include "absl/strings/str_cat.h"

absl::StatusOr<std::unique_ptr<Ledger>> Ledger::Open(const std::string& path) {
  if (path.empty()) return std::unique_ptr<Ledger>(new Ledger(-1));
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ledger_file ", path));
  return std::unique_ptr<Ledger>(new Ledger(fd));
}

Ledger::~Ledger() {
  if (fd_ >= 0) close(fd_);
}

absl::Status Ledger::Append(absl::string_view line) {
  if (fd_ < 0) return absl::OkStatus();
  const std::string text = absl::StrCat(line, "\n");
  const std::lock_guard<std::mutex> lock(mutex_);
  // One write: a line is there whole or not at all.
  if (write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fsync(fd_) != 0) {
    return absl::InternalError("cannot write to ledger_file");
  }
  return absl::OkStatus();
}
