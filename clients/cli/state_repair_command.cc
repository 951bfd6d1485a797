// `tidemark state validate` and `state repair`: what is wrong with a state, and putting it right.
#include <memory>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "commands.h"
#include "control/state_documents.h"
#include "control/state_recovery.h"
#include "control/state_validation.h"
#include "state_choice.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct RepairOptionsOfCommand : StateOptions {
  bool reset = false;
};

ExitCode ShowVerdicts(Session& session, const std::string& connection,
                      const FullValidation& validation) {
  const ExitCode code = IsValid(validation) ? ExitCode::kDone : ExitCode::kFailed;
  if (session.json()) {
    session.PrintJson(ValidationJson(connection, validation));
    return code;
  }
  std::vector<std::vector<std::string>> rows;
  rows.reserve(validation.verdicts.size());
  for (const LevelVerdict& verdict : validation.verdicts) {
    rows.push_back({std::string(StateLevelName(verdict.level)), VerdictWord(verdict.result),
                    std::string(StateLevelMeaning(verdict.level)), verdict.note});
  }
  session.Print(TextTable({"level", "verdict", "meaning", "note"}, rows));
  for (const StateFinding& finding : validation.findings) {
    session.Print(absl::StrCat(finding.harmless ? "note: " : "", DescribeFinding(finding), "\n"));
    if (finding.harmless) continue;
    const absl::string_view remedy =
        finding.remedy.empty() ? CorruptionRemedy(finding.corruption) : finding.remedy;
    session.Print(absl::StrCat("  what to do: ", remedy, "\n"));
  }
  return code;
}

ExitCode Validate(Session& session, const StateOptions& options) {
  absl::StatusOr<ChosenState> chosen = ChooseState(options);
  if (!chosen.ok()) return session.Fail(chosen.status());
  std::unique_ptr<Engine> engine;
  absl::Status no_engine = absl::FailedPreconditionError("only a database was named");
  if (chosen->connection != nullptr) {
    absl::StatusOr<std::unique_ptr<Engine>> opened =
        EngineOf(session, *chosen, "its connector is asked");
    if (!opened.ok() && IsUsage(opened.status())) return session.Fail(opened.status());
    no_engine = opened.status();
    if (opened.ok()) engine = *std::move(opened);
  }
  absl::StatusOr<FullValidation> result =
      ValidateFully(chosen->location, absl::ToUnixMicros(absl::Now()), engine.get(), no_engine);
  if (!result.ok()) return session.Fail(result.status());
  return ShowVerdicts(session, chosen->location.connection, *result);
}

ExitCode Repair(Session& session, const RepairOptionsOfCommand& options) {
  absl::StatusOr<ChosenState> chosen = ChooseState(options);
  if (!chosen.ok()) return session.Fail(chosen.status());
  absl::StatusOr<StateValidation> validation =
      ValidateStored(chosen->location, absl::ToUnixMicros(absl::Now()));
  if (!validation.ok()) return session.Fail(validation.status());
  Json json = {{"connection", chosen->location.connection}, {"plan", Json::array()}};
  if (validation->Worst() == nullptr) {
    session.Note("Nothing to do: nothing is wrong with the state.");
    if (session.json()) session.PrintJson(json);
    return ExitCode::kDone;
  }
  RecoveryChoice choice;
  choice.reset = options.reset;
  choice.holder = HolderText("tidemark state repair");
  absl::StatusOr<StateRepairPlan> plan = PlanRecovery(chosen->location, *validation, choice);
  if (!plan.ok()) return session.Fail(plan.status());
  json["left"] = Json::array();
  for (const RepairStep& step : plan->steps) {
    json["plan"].push_back(RepairStepJson(step));
    session.Note(session.Heading(DescribeFinding(step.found)));
    session.Note(absl::StrCat("  ", step.sentence));
  }
  for (const std::string& line : TableLines(*validation)) {
    json["plan"].push_back({{"class", 13}, {"action", line}});
    session.Note(line);
  }
  for (const StateFinding& finding : plan->left) json["left"].push_back(FindingJson(finding));
  const std::string question =
      absl::StrCat("repair the state of connection ", chosen->location.connection, "?");
  const bool something = !json["plan"].empty() || !validation->check.store.ok();
  if (something) {
    if (absl::Status agreed = Agreed(options, question); !agreed.ok()) {
      if (session.json()) session.PrintJson(json);
      return session.Fail(agreed);
    }
    plan = Recover(chosen->location, *validation, choice);
    if (!plan.ok()) return session.Fail(plan.status());
    json["done"] = RepairLines(*plan);
    for (const std::string& line : RepairLines(*plan)) session.Note(line);
    json["left"] = Json::array();
    for (const StateFinding& finding : plan->left) json["left"].push_back(FindingJson(finding));
  }
  if (session.json()) session.PrintJson(json);
  if (plan->left.empty()) return ExitCode::kDone;
  return session.Fail(AsLocal(CorruptionError(plan->left.front())));
}

}  // namespace

void AddStateRepairCommands(CLI::App& state, Action* action) {
  auto looked = std::make_shared<StateOptions>();
  CLI::App* validate = state.add_subcommand(
      "validate", "Check the state, L0 to L4: hashes, positions, source, destination, rows");
  AddStoredOptions(*validate, &looked->stored);
  validate->callback([looked, action] {
    *action = [looked](Session& session) { return Validate(session, *looked); };
  });
  auto options = std::make_shared<RepairOptionsOfCommand>();
  CLI::App* repair =
      state.add_subcommand("repair", "Put a damaged state right; shows the plan first");
  AddStoredOptions(*repair, &options->stored);
  AddYesOption(*repair, options.get());
  repair->add_flag("--reset", options->reset,
                   "Read everything again where nothing else can be repaired");
  repair->callback([options, action] {
    *action = [options](Session& session) { return Repair(session, *options); };
  });
}

}  // namespace tidemark
