// `tidemark --server ... state` validate, repair, backup and restore.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "remote_commands.h"
#include "remote_state.h"
#include "state_choice.h"

namespace tidemark {

void NoteChange(Session& session, const v1::StateChange& change) {
  for (const v1::StateChange::Move& move : change.moves()) {
    session.Note(session.Heading(absl::StrCat(EntryCell(move.entry()), ": version ",
                                              move.from_version(), " -> ", move.to_version())));
    session.Note(absl::StrCat("  ", move.what()));
  }
}

absl::Status AgreedTo(RemoteCommand& call, const std::string& action,
                      const std::string& connection) {
  const bool yes = call.Flag("--yes");
  if (yes || Confirm(absl::StrCat(action, " the state of connection ", connection, "?"))) {
    return absl::OkStatus();
  }
  return AsUsage(absl::FailedPreconditionError("nothing was changed; answer y, or give --yes"));
}

ExitCode ShowChange(Session& session, const v1::StateChange& change) {
  const auto json = nlohmann::ordered_json::parse(change.json(), nullptr, false);
  if (!change.warning().empty()) session.log().Write(LogLevel::kWarning, {}, change.warning());
  if (session.json()) {
    session.PrintJson(json);
  } else if (!change.written()) {
    session.Note("Nothing to do: the state is the same already.");
  } else if (json.is_object() && json.contains("done")) {
    for (const auto& one : json["done"]) {
      session.Note(one.is_object()
                       ? absl::StrCat(EntryCell(one["entry"].get<std::string>()),
                                      " now stands at version ", one["version"].get<int64_t>(), ".")
                       : one.get<std::string>());
    }
  }
  return ExitCode::kDone;
}

namespace {

using Json = nlohmann::ordered_json;
using Stub = v1::Control::Stub;

ExitCode Validate(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::ValidateStoredStateRequest request;
  request.set_connection(*name);
  v1::ValidateStoredStateResponse response;
  if (absl::Status status = call.server.Call(&Stub::ValidateState, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  const ExitCode code = response.ok() ? ExitCode::kDone : ExitCode::kFailed;
  const Json json = Json::parse(response.json(), nullptr, false);
  if (call.session.json()) {
    call.session.PrintJson(json);
    return code;
  }
  std::vector<std::vector<std::string>> rows;
  if (json.is_object()) {
    for (const Json& level : json["levels"]) {
      rows.push_back({level["level"].get<std::string>(), level["verdict"].get<std::string>(),
                      level["meaning"].get<std::string>(), level["note"].get<std::string>()});
    }
  }
  call.session.Print(TextTable({"level", "verdict", "meaning", "note"}, rows));
  for (const std::string& finding : response.findings()) call.session.Print(finding + "\n");
  return code;
}

ExitCode Repair(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::RepairStateRequest request;
  request.set_connection(*name);
  request.set_reset(call.Flag("--reset"));
  return ChangeState(call, "repair", &Stub::RepairState, request);
}

ExitCode BackUp(RemoteCommand& call) {
  if (call.Flag("--folder")) {
    return call.session.Fail(AsUsage(absl::InvalidArgumentError(
        "a server keeps backups beside the destination; leave --folder away")));
  }
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::BackupStateRequest request;
  request.set_connection(*name);
  v1::BackupStateResponse response;
  if (absl::Status status = call.server.Call(&Stub::BackupState, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  call.session.Note(absl::StrCat("The state was backed up to ", response.path(), "."));
  if (call.session.json()) {
    call.session.PrintJson({{"connection", *name}, {"backup", response.path()}});
  }
  return ExitCode::kDone;
}

ExitCode Restore(RemoteCommand& call) {
  absl::StatusOr<std::string> name = call.Connection();
  if (!name.ok()) return call.session.Fail(name.status());
  v1::RestoreStateRequest request;
  request.set_connection(*name);
  request.set_backup(call.Text("--from"));
  return ChangeState(call, "restore", &Stub::RestoreState, request);
}

}  // namespace

void AddRemoteStateRepairActions(RemoteActions* actions) {
  actions->insert({{"state validate", Validate},
                   {"state repair", Repair},
                   {"state backup", BackUp},
                   {"state restore", Restore}});
}

}  // namespace tidemark
