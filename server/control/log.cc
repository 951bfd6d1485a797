#include "control/log.h"

#include <sys/stat.h>

#include <cstdio>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "control/config_node.h"
#include "core/time_text.h"
#include "spdlog/sinks/rotating_file_sink.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace tidemark {
namespace {

const char* LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
    case LogLevel::kOff:
      return "off";
  }
  return "";
}

// A connector's text must not forge lines of ours.
std::string OneLine(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      absl::StrAppend(&out, "\\n");
    } else if (absl::ascii_iscntrl(static_cast<unsigned char>(c)) && c != '\t') {
      out.push_back('?');
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

struct Log::Sink {
  explicit Sink(spdlog::sink_ptr sink) : logger("tidemark", std::move(sink)) {
    logger.set_pattern("%v");
    logger.set_level(spdlog::level::trace);
    logger.flush_on(spdlog::level::trace);
  }
  spdlog::logger logger;
};

std::optional<LogLevel> ParseLogLevel(absl::string_view name) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError, LogLevel::kOff}) {
    if (absl::AsciiStrToLower(name) == LevelName(level)) return level;
  }
  return std::nullopt;
}

Log::Log(LogLevel level, bool json, const Redactor* redactor)
    : Log(level, json, redactor,
          std::make_unique<Sink>(std::make_shared<spdlog::sinks::stderr_sink_mt>())) {}

Log::Log(LogLevel level, bool json, const Redactor* redactor, std::unique_ptr<Sink> sink)
    : level_(level), json_(json), redactor_(redactor), sink_(std::move(sink)) {}

absl::StatusOr<std::unique_ptr<Log>> Log::Open(LogLevel level, bool json, const LogFile& file,
                                               const Redactor* redactor) {
  spdlog::file_event_handlers events;
  events.after_open = [](const spdlog::filename_t&, std::FILE* opened) {
    fchmod(fileno(opened), S_IRUSR | S_IWUSR);
  };
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(
        file.path, file.max_bytes, static_cast<size_t>(file.files), false, events);
    return std::unique_ptr<Log>(
        new Log(level, json, redactor, std::make_unique<Sink>(std::move(sink))));
  } catch (const spdlog::spdlog_ex& error) {
    return absl::FailedPreconditionError(
        absl::StrCat("the log cannot be written to ", file.path, ": ", error.what(),
                     "; choose another log.file, or make its folder writable"));
  }
}

Log::~Log() = default;

void Log::Write(LogLevel level, const LogFields& fields, absl::string_view text) {
  const bool tapped = tap_ != nullptr && level >= LogLevel::kInfo;
  if (level < level_ && !tapped) return;
  const std::string safe = redactor_->Apply(text);
  if (tapped) tap_(level, fields, safe);
  if (level < level_) return;
  const std::string time = FormatUtcMicros(absl::ToUnixMicros(absl::Now()));
  std::string line;
  if (json_) {
    nlohmann::ordered_json json = {{"time", time}, {"level", LevelName(level)}, {"message", safe}};
    if (!fields.connection.empty()) json["connection"] = fields.connection;
    if (!fields.sync.empty()) json["sync"] = fields.sync;
    if (!fields.table.empty()) json["table"] = fields.table;
    line = DumpJson(json, -1);
  } else {
    line = absl::StrCat(time, " ", LevelName(level), " ", OneLine(safe));
    if (!fields.connection.empty()) absl::StrAppend(&line, " connection=", fields.connection);
    if (!fields.sync.empty()) absl::StrAppend(&line, " sync=", fields.sync);
    if (!fields.table.empty()) absl::StrAppend(&line, " table=", OneLine(fields.table));
  }
  if (before_line_) before_line_();
  sink_->logger.log(spdlog::level::info, line);
}

}  // namespace tidemark
