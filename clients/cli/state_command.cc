// `tidemark state`: log and show; the other state commands have files of their own.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "commands.h"
#include "control/state_documents.h"
#include "control/state_log.h"
#include "core/digest.h"
#include "core/time_text.h"
#include "state_choice.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct LogOptions : StateOptions {
  int64_t limit = 20;
  int64_t version = 0;
  std::string at;
};

std::string Time(const StateVersion& version) { return FormatReportTime(version.created_at_us); }

std::vector<std::string> VersionRow(const StateLogLine& line) {
  const StateVersion& version = line.version;
  return {EntryCell(version.entry),
          absl::StrCat(version.version),
          std::string(StateKindName(version.kind)),
          Time(version),
          version.sync_id,
          Grouped(version.counts.Sum()),
          version.cursor,
          line.body_bytes < 0 ? "" : Grouped(static_cast<uint64_t>(line.body_bytes)),
          Hex(version.chain).substr(0, 12)};
}

ExitCode ShowLog(Session& session, const LogOptions& options) {
  absl::StatusOr<ChosenState> chosen = ChooseState(options);
  if (!chosen.ok()) return session.Fail(chosen.status());
  Json versions = Json::array();
  std::vector<std::vector<std::string>> rows;
  const absl::Status status =
      ReadStateLog(chosen->location, {options.entry, options.limit}, [&](const StateLogLine& line) {
        if (session.json()) {
          versions.push_back(StateVersionJson(line.version));
          if (line.body_bytes >= 0) versions.back()["body_bytes"] = line.body_bytes;
        } else {
          rows.push_back(VersionRow(line));
        }
      });
  if (!status.ok() && versions.empty() && rows.empty()) return session.Fail(status);
  if (session.json()) {
    session.PrintJson({{"connection", chosen->location.connection},
                       {"chain", status.ok() ? "valid" : std::string(status.message())},
                       {"versions", std::move(versions)}});
  } else {
    session.Print(TextTable(
        {"entry", "version", "kind", "created", "sync", "records", "cursor", "bytes", "chain"},
        rows));
    session.Print(status.ok() ? "chain: valid\n" : "");
  }
  return status.ok() ? ExitCode::kDone : session.Fail(status);
}

absl::StatusOr<std::optional<HistoryPoint>> PointOf(const LogOptions& options) {
  if (options.version > 0 && !options.at.empty()) {
    return AsUsage(absl::InvalidArgumentError("give --version or --at, not both"));
  }
  const std::string text = options.version > 0 ? absl::StrCat(options.version) : options.at;
  if (text.empty()) return std::optional<HistoryPoint>();
  absl::StatusOr<HistoryPoint> point = ParseHistoryPoint(text);
  if (!point.ok()) return AsUsage(point.status());
  return std::optional<HistoryPoint>(*std::move(point));
}

ExitCode ShowState(Session& session, const LogOptions& options) {
  absl::StatusOr<std::optional<HistoryPoint>> point = PointOf(options);
  if (!point.ok()) return session.Fail(point.status());
  absl::StatusOr<ChosenState> chosen = ChooseState(options);
  if (!chosen.ok()) return session.Fail(chosen.status());
  absl::StatusOr<std::vector<StateVersion>> versions =
      ReadStates(chosen->location, *point, options.entry);
  if (!versions.ok()) return session.Fail(versions.status());
  if (session.json()) {
    Json list = Json::array();
    for (const StateVersion& version : *versions) {
      Json one = StateVersionJson(version);
      one["body"] = StateBodyText(version);
      list.push_back(std::move(one));
    }
    session.PrintJson(list);
    return ExitCode::kDone;
  }
  for (const StateVersion& version : *versions) {
    session.Note(
        session.Heading(absl::StrCat(EntryCell(version.entry), " version ", version.version, ", ",
                                     StateKindName(version.kind), ", ", Time(version))));
    session.Print(StateBodyText(version) + "\n");
  }
  return ExitCode::kDone;
}

}  // namespace

void AddStateLogCommands(CLI::App& state, Action* action) {
  auto options = std::make_shared<LogOptions>();
  const auto add = [&](const char* name, const char* help, auto show) {
    CLI::App* command = state.add_subcommand(name, help);
    AddStoredOptions(*command, &options->stored);
    AddEntryOption(*command, options.get());
    command->callback([options, action, show] {
      *action = [options, show](Session& session) { return show(session, *options); };
    });
    return command;
  };
  add("log", "List the versions, newest first, and verify their chain", ShowLog)
      ->add_option("--limit", options->limit, "How many")
      ->check(CLI::Range(1, 1'000'000));
  CLI::App* show = add("show", "Print a state", ShowState);
  show->add_option("--version", options->version, "This version; default: the current one");
  show->add_option("--at", options->at, "As it stood at a version, after a sync, or at a time");
}

void AddStateCommands(CLI::App& app, Action* action) {
  CLI::App* state = app.add_subcommand("state", "Look at the state of a connection, and change it");
  state->require_subcommand(1);
  AddStateLogCommands(*state, action);
  AddStateDiffCommand(*state, action);
  AddStateMoveCommands(*state, action);
  AddStateFileCommands(*state, action);
  AddStateBackupCommands(*state, action);
  AddStateRepairCommands(*state, action);
}

}  // namespace tidemark
