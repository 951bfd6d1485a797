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
#include "control/state_recovery.h"
#include "control/state_validation.h"
#include "state_choice.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

struct RepairOptionsOfCommand : StateOptions {
  bool reset = false;
};

Json FindingJson(const StateFinding& finding) {
  return {{"class", static_cast<int>(finding.corruption)},
          {"name", std::string(CorruptionName(finding.corruption))},
          {"level", std::string(StateLevelName(finding.level))},
          {"entry", finding.entry},
          {"version", finding.version},
          {"what", finding.sentence},
          {"remedy", finding.remedy.empty() ? std::string(CorruptionRemedy(finding.corruption))
                                            : finding.remedy},
          {"harmless", finding.harmless}};
}

std::string VerdictWord(LevelVerdict::Result result) {
  switch (result) {
    case LevelVerdict::Result::kOk:
      return "ok";
    case LevelVerdict::Result::kFailed:
      return "FAILED";
    case LevelVerdict::Result::kNotPossible:
      return "not possible";
  }
  return "";
}

ExitCode ShowVerdicts(Session& session, const std::string& connection,
                      const std::vector<LevelVerdict>& verdicts,
                      const std::vector<StateFinding>& findings) {
  bool failed = false;
  for (const LevelVerdict& verdict : verdicts) {
    failed = failed || verdict.result == LevelVerdict::Result::kFailed;
  }
  if (session.json()) {
    Json json = {{"connection", connection},
                 {"valid", !failed},
                 {"levels", Json::array()},
                 {"findings", Json::array()}};
    for (const LevelVerdict& verdict : verdicts) {
      json["levels"].push_back({{"level", std::string(StateLevelName(verdict.level))},
                                {"meaning", std::string(StateLevelMeaning(verdict.level))},
                                {"verdict", VerdictWord(verdict.result)},
                                {"note", verdict.note}});
    }
    for (const StateFinding& finding : findings) json["findings"].push_back(FindingJson(finding));
    session.PrintJson(json);
    return failed ? ExitCode::kFailed : ExitCode::kDone;
  }
  std::vector<std::vector<std::string>> rows;
  rows.reserve(verdicts.size());
  for (const LevelVerdict& verdict : verdicts) {
    rows.push_back({std::string(StateLevelName(verdict.level)), VerdictWord(verdict.result),
                    std::string(StateLevelMeaning(verdict.level)), verdict.note});
  }
  session.Print(TextTable({"level", "verdict", "meaning", "note"}, rows));
  for (const StateFinding& finding : findings) {
    session.Print(absl::StrCat(finding.harmless ? "note: " : "", DescribeFinding(finding), "\n"));
    if (finding.harmless) continue;
    const absl::string_view remedy =
        finding.remedy.empty() ? CorruptionRemedy(finding.corruption) : finding.remedy;
    session.Print(absl::StrCat("  what to do: ", remedy, "\n"));
  }
  return failed ? ExitCode::kFailed : ExitCode::kDone;
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
  return ShowVerdicts(session, chosen->location.connection, result->verdicts, result->findings);
}

Json StepJson(const RepairStep& step) {
  return {{"entry", step.head.entry},
          {"class", static_cast<int>(step.found.corruption)},
          {"found", step.found.sentence},
          {"action", step.sentence},
          {"kind", step.action == RepairAction::kBeginAgain ? "reset" : "repair"},
          {"version", step.version},
          {"parent", step.parent},
          {"set_aside", step.set_aside}};
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
    json["plan"].push_back(StepJson(step));
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
