// What a connector's process writes to stderr (and stdout): its last lines for error texts, its
// lines for the log, and a bound on how much of it there may be.
#ifndef TIDEMARK_SOURCE_STDERR_TAIL_H_
#define TIDEMARK_SOURCE_STDERR_TAIL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/clock.h"
#include "core/mutex.h"

namespace tidemark {

// Thread-safe; Append on one thread at a time.
class StderrTail {
 public:
  using LogLine = std::function<void(int level, absl::string_view text)>;

  static constexpr size_t kKeptBytes = size_t{64} * 1024;
  static constexpr size_t kLineBytes = size_t{4} * 1024;  // a longer line reaches the log cut
  // Lines to the log: a burst, then as many a second. The rest are counted, not passed on.
  static constexpr double kLineBurst = 1'000;
  static constexpr double kLinesPerSecond = 100;
  // More than this at once, or more than the rate for long, is a flood.
  static constexpr double kFloodBytes = 64.0 * 1024 * 1024;
  static constexpr double kFloodBytesPerSecond = 1024.0 * 1024;

  // `log` may be null. It is called by Append.
  explicit StderrTail(LogLine log, Clock& clock = Clock::Real());

  // False when the flood bound is passed; the bytes are kept all the same.
  bool Append(absl::string_view bytes);
  // The writer is gone: logs a last line without a newline, and how many lines were left out.
  void Finish();

  // The last line that is not blank, printable, at most 1,000 bytes; empty when there is none.
  std::string LastLine() const;
  // Up to kKeptBytes, the newest.
  std::string Text() const;
  uint64_t bytes() const;

 private:
  void Refill() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Log(absl::string_view line);

  const LogLine log_;
  Clock& clock_;
  std::string line_;  // the line begun; only Append and Finish

  mutable Mutex mutex_;
  std::string kept_ ABSL_GUARDED_BY(mutex_);
  uint64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Duration refilled_ ABSL_GUARDED_BY(mutex_);
  double lines_left_ ABSL_GUARDED_BY(mutex_) = kLineBurst;
  double bytes_left_ ABSL_GUARDED_BY(mutex_) = kFloodBytes;
  uint64_t lines_dropped_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_STDERR_TAIL_H_
