// Structured log lines on stderr or in a file: connection, sync, table and a text, as text or as
// JSON.
#ifndef TIDEMARK_CONTROL_LOG_H_
#define TIDEMARK_CONTROL_LOG_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "control/redaction.h"

namespace tidemark {

enum class LogLevel { kDebug = 0, kInfo = 1, kWarning = 2, kError = 3, kOff = 4 };
std::optional<LogLevel> ParseLogLevel(absl::string_view name);

struct LogFields {
  std::string connection;
  std::string sync;
  std::string table;
};

// tidemark.log becomes tidemark.1.log, that tidemark.2.log, ..., when it has grown to `max_bytes`.
struct LogFile {
  std::string path;
  uint64_t max_bytes = uint64_t{100} << 20;
  int files = 5;  // beside the one that grows
};

// Thread-safe. Everything passes the redactor, which is borrowed and outlives the log.
class Log {
 public:
  Log(LogLevel level, bool json, const Redactor* redactor);
  // Into a file of mode 0600. An error names it: it cannot be written.
  static absl::StatusOr<std::unique_ptr<Log>> Open(LogLevel level, bool json, const LogFile& file,
                                                   const Redactor* redactor);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void Write(LogLevel level, const LogFields& fields, absl::string_view text);
  // Called before each line is written, on the thread that writes it: a progress line is cleared.
  // Set before other threads write.
  void SetBeforeLine(std::function<void()> before_line) { before_line_ = std::move(before_line); }
  // Gets every line of level info or above, redacted, whatever the log's own level; on the thread
  // that writes it. Set before other threads write.
  using Tap = std::function<void(LogLevel level, const LogFields& fields, absl::string_view text)>;
  void SetTap(Tap tap) { tap_ = std::move(tap); }
  bool enabled(LogLevel level) const { return level >= level_; }

 private:
  struct Sink;

  Log(LogLevel level, bool json, const Redactor* redactor, std::unique_ptr<Sink> sink);

  const LogLevel level_;
  const bool json_;
  const Redactor* const redactor_;
  const std::unique_ptr<Sink> sink_;
  std::function<void()> before_line_;
  Tap tap_;
};

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_LOG_H_
