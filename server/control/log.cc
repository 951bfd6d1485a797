#include "control/log.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "control/config_node.h"
#include "core/time_text.h"
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
  spdlog::logger logger{"tidemark", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
};

std::optional<LogLevel> ParseLogLevel(absl::string_view name) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError, LogLevel::kOff}) {
    if (absl::AsciiStrToLower(name) == LevelName(level)) return level;
  }
  return std::nullopt;
}

Log::Log(LogLevel level, bool json, const Redactor* redactor)
    : level_(level), json_(json), redactor_(redactor), sink_(std::make_unique<Sink>()) {
  sink_->logger.set_pattern("%v");
  sink_->logger.set_level(spdlog::level::trace);
  sink_->logger.flush_on(spdlog::level::trace);
}

Log::~Log() = default;

void Log::Write(LogLevel level, const LogFields& fields, absl::string_view text) {
  if (level < level_) return;
  const std::string safe = redactor_->Apply(text);
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
