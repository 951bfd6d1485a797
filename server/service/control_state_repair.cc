// Control's calls about a damaged state: validate, repair, back up, restore.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/config_node.h"
#include "control/exit_code.h"
#include "control/state_backups.h"
#include "control/state_documents.h"
#include "control/state_recovery.h"
#include "control/state_validation.h"
#include "service/call_error.h"
#include "service/chosen_state.h"
#include "service/control_state.h"
#include "wire/call_status.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

// A file of the connection's own folder of backups: nothing else of the server can be named.
absl::Status CheckBackupName(const std::string& name) {
  const bool plain = name.find('/') == std::string::npos && name != "." && name != "..";
  return plain ? absl::OkStatus()
               : BadField("backup", "name a file of the connection's folder of backups, no path");
}

std::string StepText(const RestoreStep& step) {
  switch (step.what) {
    case RestoreStep::What::kNothing:
      return absl::StrCat("version ", step.current.version, " is the same already");
    case RestoreStep::What::kRecreate:
      return absl::StrCat("is gone: its ", step.entry->versions.size(), " versions up to ",
                          step.entry->head.version, " are made again");
    case RestoreStep::What::kImport:
      break;
  }
  return absl::StrCat("version ", step.current.version + 1,
                      " of kind import with the state of version ", step.entry->head.version);
}

void AddSteps(const StateRepairPlan& plan, v1::StateChange* response) {
  for (const RepairStep& step : plan.steps) {
    v1::StateChange::Move* move = response->add_moves();
    move->set_entry(MessageText(step.head.entry));
    move->set_from_version(step.head.version);
    move->set_to_version(step.version);
    move->set_what(MessageText(step.sentence));
  }
}

void SetLeft(const StateRepairPlan& plan, Json* json) {
  (*json)["left"] = Json::array();
  for (const StateFinding& finding : plan.left) (*json)["left"].push_back(FindingJson(finding));
}

}  // namespace

absl::Status ControlState::Validate(ControlCall& /*call*/,
                                    const v1::ValidateStoredStateRequest& request,
                                    v1::ValidateStoredStateResponse* response) {
  absl::StatusOr<ChosenState> chosen = ChooseState(parts_, request.connection());
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit = parts_.runner->Visit(request.connection());
  if (!visit.ok() && (IsUsage(visit.status()) || !ReasonOf(visit.status()).empty())) {
    return EngineError(visit.status());
  }
  absl::StatusOr<FullValidation> result =
      ValidateFully(chosen->location, absl::ToUnixMicros(parts_.clock->Now()),
                    visit.ok() ? (*visit)->engine() : nullptr, visit.status());
  if (!result.ok()) return EngineError(result.status());
  response->set_ok(IsValid(*result));
  for (const LevelVerdict& verdict : result->verdicts) {
    v1::ValidateStoredStateResponse::Level* level = response->add_levels();
    level->set_level(std::string(StateLevelName(verdict.level)));
    level->set_result(
        verdict.result == LevelVerdict::Result::kFailed ? "failed" : VerdictWord(verdict.result));
    level->set_note(MessageText(verdict.note));
  }
  for (const StateFinding& finding : result->findings) {
    response->add_findings(MessageText(parts_.redactor->Apply(absl::StrCat(
        DescribeFinding(finding), "; ",
        finding.remedy.empty() ? CorruptionRemedy(finding.corruption) : finding.remedy))));
  }
  response->set_json(
      parts_.redactor->Apply(DumpJson(ValidationJson(request.connection(), *result), 2)));
  return absl::OkStatus();
}

absl::Status ControlState::Repair(ControlCall& call, const v1::RepairStateRequest& request,
                                  v1::StateChange* response) {
  if (absl::Status busy = CheckNotBusy(parts_, request.connection()); !busy.ok()) return busy;
  absl::StatusOr<ChosenState> chosen = ChooseState(parts_, request.connection());
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<StateValidation> validation =
      ValidateStored(chosen->location, absl::ToUnixMicros(parts_.clock->Now()));
  if (!validation.ok()) return EngineError(validation.status());
  Json json = {{"connection", request.connection()}, {"plan", Json::array()}};
  if (validation->Worst() == nullptr) {
    SetJson(parts_, json, response);
    return absl::OkStatus();
  }
  RecoveryChoice choice;
  choice.reset = request.reset();
  choice.holder = HolderText(absl::StrCat("state repair by ", call.admitted.principal.name));
  absl::StatusOr<StateRepairPlan> plan = PlanRecovery(chosen->location, *validation, choice);
  if (!plan.ok()) return EngineError(plan.status());
  for (const RepairStep& step : plan->steps) json["plan"].push_back(RepairStepJson(step));
  for (const std::string& line : TableLines(*validation)) {
    json["plan"].push_back({{"class", 13}, {"action", line}});
  }
  const bool something = !json["plan"].empty() || !validation->check.store.ok();
  if (something && !request.dry_run()) {
    plan = Recover(chosen->location, *validation, choice);
    if (!plan.ok()) return EngineError(plan.status());
    json["done"] = RepairLines(*plan);
    response->set_written(true);
  }
  AddSteps(*plan, response);
  SetLeft(*plan, &json);
  if (!plan->left.empty()) {
    response->set_warning(
        StatusText(parts_.redactor->Apply(CorruptionError(plan->left.front()).message())));
  }
  SetJson(parts_, json, response);
  return absl::OkStatus();
}

absl::Status ControlState::Backup(ControlCall& /*call*/, const v1::BackupStateRequest& request,
                                  v1::BackupStateResponse* response) {
  absl::StatusOr<ChosenState> chosen = ChooseState(parts_, request.connection());
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<std::string> path =
      BackUpState(chosen->location, BackupFolderOf(chosen->location));
  if (!path.ok()) return EngineError(path.status());
  response->set_path(*path);
  return absl::OkStatus();
}

absl::Status ControlState::Restore(ControlCall& /*call*/, const v1::RestoreStateRequest& request,
                                   v1::StateChange* response) {
  if (absl::Status name = CheckBackupName(request.backup()); !name.ok()) return name;
  if (absl::Status busy = CheckNotBusy(parts_, request.connection()); !busy.ok()) return busy;
  absl::StatusOr<ChosenState> chosen = ChooseState(parts_, request.connection());
  if (!chosen.ok()) return chosen.status();
  std::vector<std::string> skipped;
  absl::StatusOr<StateBackup> backup =
      request.backup().empty()
          ? ReadNewestBackup(chosen->location, &skipped)
          : ReadBackupFile(absl::StrCat(BackupFolderOf(chosen->location), "/", request.backup()));
  for (const std::string& line : skipped) {
    parts_.log->Write(LogLevel::kWarning, {request.connection(), "", ""}, line);
  }
  if (!backup.ok()) return EngineError(backup.status());
  if (backup->connection != chosen->location.connection) {
    return BadField("backup", absl::StrCat("is one of connection \"", backup->connection, "\""));
  }
  absl::StatusOr<std::vector<RestoreStep>> steps = PlanStateRestore(chosen->location, *backup);
  if (!steps.ok()) return EngineError(steps.status());
  bool any = false;
  for (const RestoreStep& step : *steps) {
    any = any || step.what != RestoreStep::What::kNothing;
    v1::StateChange::Move* move = response->add_moves();
    move->set_entry(MessageText(step.entry->head.entry));
    move->set_from_version(step.current.version);
    move->set_to_version(step.what == RestoreStep::What::kRecreate ? step.entry->head.version
                         : step.what == RestoreStep::What::kImport ? step.current.version + 1
                                                                   : step.current.version);
    move->set_what(StepText(step));
  }
  Json json = RestorePlanJson(*backup, *steps);
  if (!any) {
    json["done"] = Json::array();
  } else if (!request.dry_run()) {
    absl::StatusOr<StateWritten> written = ApplyRestore(chosen->location, *backup, *steps);
    if (!written.ok()) return EngineError(written.status());
    response->set_written(true);
    response->set_warning(MessageText(written->warning));
    AddWritten(*written, &json);
  }
  SetJson(parts_, json, response);
  return absl::OkStatus();
}

}  // namespace tidemark
