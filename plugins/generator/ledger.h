// A log of what a source sent and what it was told, for tests that kill processes.
#ifndef TIDEMARK_PLUGINS_GENERATOR_LEDGER_H_
#define TIDEMARK_PLUGINS_GENERATOR_LEDGER_H_

#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Appends lines to a file and fsyncs each one before it goes on. Thread-safe.
//   start <epoch> <attempt> <cursor>   update() begins; ids count from 1 in each instance
//   sent <checkpoint id> <cursor>      written before the checkpoint is sent: whatever the
//                                      destination holds, stands here
//   durable <checkpoint id>            written when the acknowledgement was received
class Ledger {
 public:
  // An empty path: a ledger that writes nothing.
  static absl::StatusOr<std::unique_ptr<Ledger>> Open(const std::string& path);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // INTERNAL if the disk refuses the line.
  absl::Status Append(absl::string_view line);
  bool enabled() const { return fd_ >= 0; }

 private:
  explicit Ledger(int fd) : fd_(fd) {}

  std::mutex mutex_;  // keeps lines whole
  const int fd_;      // -1: none
};

#endif  // TIDEMARK_PLUGINS_GENERATOR_LEDGER_H_
