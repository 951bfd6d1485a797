// Structured log lines on stderr: connection, sync, table and a text, as text or JSON.
#ifndef TIDEMARK_CONTROL_LOG_H_
#define TIDEMARK_CONTROL_LOG_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

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

// Thread-safe. Everything passes the redactor, which is borrowed and outlives the log.
class Log {
 public:
  Log(LogLevel level, bool json, const Redactor* redactor);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void Write(LogLevel level, const LogFields& fields, absl::string_view text);
  // Called before each line is written, on the thread that writes it: a progress line is cleared.
  // Set before other threads write.
  void SetBeforeLine(std::function<void()> before_line) { before_line_ = std::move(before_line); }
  bool enabled(LogLevel level) const { return level >= level_; }

 private:
  struct Sink;

  const LogLevel level_;
  const bool json_;
  const Redactor* const redactor_;
  const std::unique_ptr<Sink> sink_;
  std::function<void()> before_line_;
};

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_LOG_H_
