// `tidemark state backup` and `restore`.
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "commands.h"
#include "control/state_backups.h"
#include "control/state_documents.h"
#include "core/time_text.h"
#include "state_choice.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct BackupCommandOptions : StateOptions {
  std::string folder;
  std::string from;
};

ExitCode BackUp(Session& session, const BackupCommandOptions& options) {
  absl::StatusOr<ChosenState> chosen = ChooseState(options);
  if (!chosen.ok()) return session.Fail(chosen.status());
  absl::StatusOr<std::string> path = BackUpState(
      chosen->location, options.folder.empty() ? BackupFolderOf(chosen->location) : options.folder);
  if (!path.ok()) return session.Fail(path.status());
  session.Note(absl::StrCat("The state was backed up to ", *path, "."));
  if (session.json()) {
    session.PrintJson({{"connection", chosen->location.connection}, {"backup", *path}});
  }
  return ExitCode::kDone;
}

std::string StepText(const RestoreStep& step) {
  const StateHead& head = step.entry->head;
  const std::string& cursor = step.entry->versions.back().cursor;
  switch (step.what) {
    case RestoreStep::What::kNothing:
      return absl::StrCat("version ", step.current.version, " is the same already");
    case RestoreStep::What::kRecreate:
      return absl::StrCat("is gone: its ", step.entry->versions.size(), " versions up to ",
                          head.version, " are made again, cursor ", cursor);
    case RestoreStep::What::kImport:
      break;
  }
  return absl::StrCat(
      "version ", step.current.version + 1, " of kind import with the state of version ",
      head.version, ", cursor ", step.cursor_now, " -> ", cursor,
      step.beyond_horizon
          ? "; beyond the rollback horizon: the source may have forgotten what lies between"
          : "");
}

ExitCode Restore(Session& session, const BackupCommandOptions& options) {
  absl::StatusOr<ChosenState> chosen = ChooseState(options);
  if (!chosen.ok()) return session.Fail(chosen.status());
  std::vector<std::string> skipped;
  absl::StatusOr<StateBackup> backup = options.from.empty()
                                           ? ReadNewestBackup(chosen->location, &skipped)
                                           : ReadBackupFile(options.from);
  for (const std::string& line : skipped) session.log().Write(LogLevel::kWarning, {}, line);
  if (!backup.ok()) return session.Fail(backup.status());
  if (backup->connection != chosen->location.connection) {
    return session.Fail(AsUsage(absl::InvalidArgumentError(
        absl::StrCat("this is a backup of connection \"", backup->connection, "\", not of \"",
                     chosen->location.connection, "\""))));
  }
  absl::StatusOr<std::vector<RestoreStep>> steps = PlanStateRestore(chosen->location, *backup);
  if (!steps.ok()) return session.Fail(steps.status());
  session.Note(absl::StrCat("Backup of ", FormatReportTime(backup->created_at_us), " by ",
                            backup->engine, ", of ", backup->store, "; its checksum is right."));
  bool any = false;
  for (const RestoreStep& step : *steps) {
    any = any || step.what != RestoreStep::What::kNothing;
    session.Note(absl::StrCat(EntryCell(step.entry->head.entry), ": ", StepText(step)));
  }
  Json json = RestorePlanJson(*backup, *steps);
  if (any) {
    const std::string question =
        absl::StrCat("Restore the state of connection ", chosen->location.connection, "?");
    if (absl::Status status = Agreed(options, question); !status.ok()) {
      if (session.json()) session.PrintJson(json);
      return session.Fail(status);
    }
    absl::StatusOr<StateWritten> written = ApplyRestore(chosen->location, *backup, *steps);
    if (!written.ok()) return session.Fail(written.status());
    return ShowWritten(session, *written, std::move(json));
  }
  json["done"] = Json::array();
  if (session.json()) session.PrintJson(json);
  return ExitCode::kDone;
}

}  // namespace

void AddStateBackupCommands(CLI::App& state, Action* action) {
  auto options = std::make_shared<BackupCommandOptions>();
  const auto add = [&](const char* name, const char* help, auto run) {
    CLI::App* command = state.add_subcommand(name, help);
    AddStoredOptions(*command, &options->stored);
    command->callback([options, action, run] {
      *action = [options, run](Session& session) { return run(session, *options); };
    });
    return command;
  };
  add("backup", "Write a backup of the whole history now", BackUp)
      ->add_option("--folder", options->folder, "Where; default: DATABASE.state-backups");
  CLI::App* restore = add("restore", "Put a backup back; shows the plan first", Restore);
  restore->add_option("--from", options->from, "The backup; default: the newest one that is whole");
  AddYesOption(*restore, options.get());
}

}  // namespace tidemark
