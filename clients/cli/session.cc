#include "session.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "control/config_node.h"
#include "core/text.h"

namespace tidemark {
namespace {

constexpr size_t kWidestCell = 60;  // characters

// Read by the signal's function alone; lives for the whole program.
Interrupt* InterruptOfProgram() {
  static Interrupt* const interrupt = new Interrupt;
  return interrupt;
}

void OnSignal(int) {
  Interrupt* interrupt = InterruptOfProgram();
  interrupt->Request();
  if (interrupt->count() > 2) _exit(static_cast<int>(ExitCode::kInterrupted));
}

LogLevel LevelOf(const GlobalOptions& options) {
  return ParseLogLevel(options.log_level)
      .value_or(options.quiet ? LogLevel::kError : LogLevel::kInfo);
}

size_t Characters(absl::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// At most kWidestCell characters in one line, without control characters.
std::string Cell(absl::string_view text) {
  std::string out;
  size_t characters = 0;
  for (const char c : text) {
    if ((c & 0xc0) != 0x80 && ++characters > kWidestCell) {
      out += "...";
      break;
    }
    out.push_back(absl::ascii_iscntrl(static_cast<unsigned char>(c)) ? ' ' : c);
  }
  return out;
}

}  // namespace

Session::Session(const GlobalOptions& options)
    : options_(options),
      log_(std::make_unique<Log>(LevelOf(options), options.log_format == "json", &redactor_)),
      search_(PluginSearch::FromEnvironment(options.plugin_path)) {
  // A log line must not stand behind a half-written progress line.
  if (isatty(STDERR_FILENO) != 0) log_->SetBeforeLine([] { std::fputs("\r\033[K", stderr); });
}

void Session::Print(absl::string_view text) {
  const std::string safe = redactor_.Apply(text);
  std::fwrite(safe.data(), 1, safe.size(), stdout);
  std::fflush(stdout);
}

void Session::PrintJson(const nlohmann::ordered_json& value) {
  printed_json_ = true;
  Print(absl::StrCat(DumpJson(value, 2), "\n"));
}

void Session::Note(absl::string_view line) {
  if (options_.json || options_.quiet) return;
  Print(absl::StrCat(line, "\n"));
}

ExitCode Session::Fail(const absl::Status& status) {
  const std::string text = absl::StrCat("tidemark: ", redactor_.Apply(status.message()), "\n");
  std::fwrite(text.data(), 1, text.size(), stderr);
  if (options_.json && !printed_json_) {
    PrintJson({{"error",
                {{"code", absl::StatusCodeToString(status.code())},
                 {"message", std::string(status.message())}}}});
  }
  return ExitCodeOf(status);
}

std::string Session::Heading(absl::string_view text) const {
  if (isatty(STDOUT_FILENO) == 0) return std::string(text);
  return absl::StrCat("\033[1m", text, "\033[0m");
}

Interrupt* Session::WatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  return InterruptOfProgram();
}

void Session::LogNotices(const Connection& connection) {
  const LogFields fields{connection.name, "", ""};
  for (const std::string& text : connection.notices) log_->Write(LogLevel::kInfo, fields, text);
  for (const std::string& text : connection.warnings) {
    log_->Write(LogLevel::kWarning, fields, text);
  }
}

absl::StatusOr<std::unique_ptr<Engine>> Session::OpenEngine(Connection connection) {
  return Engine::Create(std::move(connection), {search_, &redactor_, log_.get()});
}

std::string Grouped(uint64_t number) {
  const std::string digits = absl::StrCat(number);
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out.push_back(',');
    out.push_back(digits[i]);
  }
  return out;
}

std::string TextTable(const std::vector<std::string>& header,
                      const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(header.size());
  std::vector<std::vector<std::string>> cells;
  cells.push_back(header);
  for (const std::vector<std::string>& row : rows) {
    std::vector<std::string>& line = cells.emplace_back();
    for (const std::string& text : row) line.push_back(Cell(text));
    line.resize(header.size());
  }
  for (const std::vector<std::string>& line : cells) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], Characters(line[i]));
  }
  std::string out;
  for (const std::vector<std::string>& line : cells) {
    std::string text;
    for (size_t i = 0; i < line.size(); ++i) {
      if (i > 0) text += "  ";
      text += line[i];
      text.append(widths[i] - Characters(line[i]), ' ');
    }
    absl::StrAppend(&out, absl::StripTrailingAsciiWhitespace(text), "\n");
  }
  return out;
}

bool Confirm(absl::string_view question) {
  if (isatty(STDIN_FILENO) == 0) return false;
  std::cerr << std::string(question) << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  answer = absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer));
  return answer == "y" || answer == "yes";
}

}  // namespace tidemark
