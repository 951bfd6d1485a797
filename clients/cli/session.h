// What every command of `tidemark` shares: global options, output, log, interruption.
#ifndef TIDEMARK_CLIENTS_CLI_SESSION_H_
#define TIDEMARK_CLIENTS_CLI_SESSION_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "control/connection.h"
#include "control/engine.h"
#include "control/exit_code.h"
#include "control/log.h"
#include "control/plugin_search.h"
#include "control/redaction.h"
#include "nlohmann/json.hpp"

namespace tidemark {

struct GlobalOptions {
  std::string plugin_path;
  std::string log_level;  // empty: info, with --quiet error
  std::string log_format = "text";
  bool json = false;
  bool quiet = false;
};

// Confined to the main thread, except interrupt() and log().
class Session {
 public:
  explicit Session(const GlobalOptions& options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const GlobalOptions& options() const { return options_; }
  bool json() const { return options_.json; }
  bool quiet() const { return options_.quiet; }
  Log& log() { return *log_; }
  Redactor& redactor() { return redactor_; }
  const PluginSearch& search() const { return search_; }

  // Results, on stdout and redacted. Print adds no newline; Note is for people only: nothing with
  // --json or --quiet.
  void Print(absl::string_view text);
  void PrintJson(const nlohmann::ordered_json& value);
  void Note(absl::string_view line);
  // "tidemark: ..." on stderr, redacted; returns the status's exit code. With --json also
  // {"error": {"code", "message"}} on stdout, unless a result stands there already.
  ExitCode Fail(const absl::Status& status);
  // Bold when stdout is a terminal.
  std::string Heading(absl::string_view text) const;

  // From now on Ctrl-C and SIGTERM end the sync: once after the commit group, twice at once.
  Interrupt* WatchInterrupts();

  // The connection's notices and warnings, into the log.
  void LogNotices(const Connection& connection);
  absl::StatusOr<std::unique_ptr<Engine>> OpenEngine(Connection connection);

 private:
  const GlobalOptions options_;
  bool printed_json_ = false;
  Redactor redactor_;
  std::unique_ptr<Log> log_;
  const PluginSearch search_;
};

// What a parsed command line shall do.
using Action = std::function<ExitCode(Session&)>;

// "1,234,567".
std::string Grouped(uint64_t number);
// Columns padded to their widest cell (at most 60 characters each), two blanks between them.
std::string TextTable(const std::vector<std::string>& header,
                      const std::vector<std::vector<std::string>>& rows);
// Whether the user answers yes; false when stdin is no terminal.
bool Confirm(absl::string_view question);

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_SESSION_H_
