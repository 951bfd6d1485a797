#include "service/control_state.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "control/config_node.h"
#include "control/exit_code.h"
#include "control/state_documents.h"
#include "control/state_file.h"
#include "control/state_log.h"
#include "control/state_operations.h"
#include "core/digest.h"
#include "service/call_error.h"
#include "service/chosen_state.h"
#include "service/control_messages.h"
#include "service/page_token.h"
#include "wire/call_status.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMaxScanned = 1'000'000;  // versions of a connection, all entries together

std::optional<std::string> EntryOf(bool set, const std::string& entry) {
  return set ? std::optional<std::string>(entry) : std::nullopt;
}

void ToMessage(const StateVersion& version, int64_t body_bytes, v1::StateVersionRecord* message) {
  message->set_entry(MessageText(version.entry));
  message->set_version(version.version);
  message->set_parent(version.parent);
  message->set_kind(std::string(StateKindName(version.kind)));
  message->set_sync_id(MessageText(version.sync_id));
  SetTime(version.created_at_us, message->mutable_created_at());
  message->set_epoch(static_cast<uint64_t>(version.epoch));
  message->set_format(version.format);
  message->set_body_bytes(body_bytes);
  message->set_cursor(MessageText(version.cursor));
  message->set_chain(Hex(version.chain));
  ToMessage(version.counts, message->mutable_counts());
  message->set_body_hash(Hex(version.body_hash));
  message->set_engine(MessageText(version.engine));
}

// Where a list of versions goes on: behind the one written at `created_us` with this number, of
// this entry. New versions come before it, so that a page never repeats one.
struct LogPosition {
  int64_t created_us = 0;
  int64_t version = 0;
  std::string entry;
};

std::string PositionOf(const StateVersion& version) {
  return absl::StrCat(version.created_at_us, ":", version.version, ":", version.entry);
}

absl::StatusOr<std::optional<LogPosition>> ReadPosition(const std::string& text) {
  if (text.empty()) return std::optional<LogPosition>();
  const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 2));
  LogPosition position;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &position.created_us) ||
      !absl::SimpleAtoi(parts[1], &position.version)) {
    return BadField("page_token", "is no token that this server gave; begin without one");
  }
  position.entry = parts[2];
  return std::optional<LogPosition>(std::move(position));
}

bool IsAt(const StateVersion& version, const LogPosition& position) {
  return version.created_at_us == position.created_us && version.version == position.version &&
         version.entry == position.entry;
}

// FAILED_PRECONDITION of the plan itself (the horizon, or what the connector said): AsLocal, so
// that the exit code is the local command's.
absl::Status Refused(const absl::Status& status) {
  return EngineError(
      WithReason(AsLocal(status), "CANNOT_RESUME",
                 {{"code", absl::StatusCodeToString(status.code())}, {"exit_code", "1"}}));
}

}  // namespace

absl::Status ControlState::ListVersions(ControlCall& /*call*/,
                                        const v1::ListStateVersionsRequest& request,
                                        v1::ListStateVersionsResponse* response) {
  absl::StatusOr<PageRequest> page = ReadPage(request);
  if (!page.ok()) return page.status();
  absl::StatusOr<std::optional<LogPosition>> after = ReadPosition(page->after);
  if (!after.ok()) return after.status();
  absl::StatusOr<ChosenState> chosen = ChooseState(parts_, request.connection());
  if (!chosen.ok()) return chosen.status();
  const int64_t wanted = static_cast<int64_t>(page->size) + 1;
  const StateLogQuery query = {EntryOf(request.has_entry(), request.entry()),
                               after->has_value() ? kMaxScanned : wanted};
  bool begun = !after->has_value();
  std::string last;
  bool more = false;
  const absl::Status status = ReadStateLog(chosen->location, query, [&](const StateLogLine& line) {
    if (!begun) {
      begun = IsAt(line.version, **after);
      return;
    }
    if (static_cast<size_t>(response->versions_size()) == page->size) {
      more = true;
      return;
    }
    ToMessage(line.version, line.body_bytes, response->add_versions());
    last = PositionOf(line.version);
  });
  if (!status.ok() && response->versions_size() == 0) return EngineError(status);
  if (!status.ok()) response->set_damage(StatusText(parts_.redactor->Apply(status.message())));
  if (more) response->set_next_page_token(PageToken(request, last));
  return absl::OkStatus();
}

absl::Status ControlState::Get(ControlCall& /*call*/, const v1::GetStateRequest& request,
                               v1::GetStateResponse* response) {
  absl::StatusOr<std::optional<HistoryPoint>> at = PointOf(request.has_at(), request.at(), "at");
  if (!at.ok()) return at.status();
  absl::StatusOr<ChosenState> chosen = ChooseState(parts_, request.connection());
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<std::vector<StateVersion>> versions =
      ReadStates(chosen->location, *at, EntryOf(request.has_entry(), request.entry()));
  if (!versions.ok()) return EngineError(versions.status());
  for (StateVersion& version : *versions) {
    v1::StateBody* state = response->add_states();
    ToMessage(version, static_cast<int64_t>(version.body.size()), state->mutable_version());
    state->set_body(std::move(version.body));
  }
  return absl::OkStatus();
}

absl::Status ControlState::Diff(ControlCall& /*call*/, const v1::DiffStateRequest& request,
                                v1::DiffStateResponse* response) {
  if (!request.has_from()) return BadField("from", "name the older point");
  absl::StatusOr<std::optional<HistoryPoint>> from = PointOf(true, request.from(), "from");
  if (!from.ok()) return from.status();
  absl::StatusOr<std::optional<HistoryPoint>> to = PointOf(request.has_to(), request.to(), "to");
  if (!to.ok()) return to.status();
  absl::StatusOr<ChosenState> chosen = ChooseState(parts_, request.connection());
  if (!chosen.ok()) return chosen.status();
  const std::optional<std::string> entry = EntryOf(request.has_entry(), request.entry());
  absl::StatusOr<std::vector<StateVersion>> before = ReadStates(chosen->location, *from, entry);
  if (!before.ok()) return EngineError(before.status());
  absl::StatusOr<std::vector<StateVersion>> after = ReadStates(chosen->location, *to, entry);
  if (!after.ok()) return EngineError(after.status());
  Json json = Json::array();
  for (const StatePair& pair : PairStates(*before, *after)) {
    json.push_back(StatePairJson(pair, DiffOfPair(pair)));
  }
  response->set_json(parts_.redactor->Apply(DumpJson(json, 2)));
  return absl::OkStatus();
}

absl::Status ControlState::Export(ControlCall& /*call*/, const v1::ExportStateRequest& request,
                                  v1::ExportStateResponse* response) {
  absl::StatusOr<std::optional<HistoryPoint>> at = PointOf(request.has_at(), request.at(), "at");
  if (!at.ok()) return at.status();
  absl::StatusOr<ChosenState> chosen = ChooseState(parts_, request.connection());
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<std::vector<StateEntry>> entries =
      ExportStates(chosen->location, *at, EntryOf(request.has_entry(), request.entry()));
  if (!entries.ok()) return EngineError(entries.status());
  response->set_json(FormatStateFile(*entries));
  return absl::OkStatus();
}

absl::Status ControlState::Rollback(ControlCall& /*call*/, const v1::RollbackStateRequest& request,
                                    v1::StateChange* response) {
  if (!request.has_to()) return BadField("to", "name the point to go back to");
  absl::StatusOr<std::optional<HistoryPoint>> to = PointOf(true, request.to(), "to");
  if (!to.ok()) return to.status();
  if (absl::Status busy = CheckNotBusy(parts_, request.connection()); !busy.ok()) return busy;
  absl::StatusOr<ChosenState> chosen = ChooseState(parts_, request.connection());
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<std::vector<StateMove>> moves =
      PlanStateRollback(chosen->location, **to, EntryOf(request.has_entry(), request.entry()));
  if (!moves.ok()) return EngineError(moves.status());
  Json json = MovesJson(request.connection(), *moves);
  if (absl::Status allowed = CheckHorizon(*moves); !allowed.ok()) return Refused(allowed);
  if (!NothingMoves(*moves)) {
    absl::StatusOr<std::unique_ptr<PluginVisit>> visit = parts_.runner->Visit(request.connection());
    if (!visit.ok()) return EngineError(visit.status());
    absl::StatusOr<SourceAnswer> answer = AskSource(*(*visit)->engine(), *moves);
    if (absl::Status asked = (*visit)->Explain(answer.status()); !asked.ok()) {
      return EngineError(asked);
    }
    json["source"] = SourceAnswerJson(*answer);
    if (absl::Status allowed = CheckAnswer(*answer); !allowed.ok()) return Refused(allowed);
  }
  return ApplyPlanned(parts_, *chosen, "rollback", *moves, request.dry_run(), std::move(json),
                      response);
}

absl::Status ControlState::Reset(ControlCall& /*call*/, const v1::ResetStateRequest& request,
                                 v1::StateChange* response) {
  if (absl::Status busy = CheckNotBusy(parts_, request.connection()); !busy.ok()) return busy;
  absl::StatusOr<ChosenState> chosen = ChooseState(parts_, request.connection());
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<std::vector<StateMove>> moves =
      PlanStateReset(chosen->location, EntryOf(request.has_entry(), request.entry()));
  if (!moves.ok()) return EngineError(moves.status());
  return ApplyPlanned(parts_, *chosen, "reset", *moves, request.dry_run(),
                      MovesJson(request.connection(), *moves), response);
}

absl::Status ControlState::Migrate(ControlCall& /*call*/, const v1::MigrateStateRequest& request,
                                   v1::StateChange* response) {
  if (absl::Status busy = CheckNotBusy(parts_, request.connection()); !busy.ok()) return busy;
  absl::StatusOr<ChosenState> chosen = ChooseState(parts_, request.connection());
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit = parts_.runner->Visit(request.connection());
  if (!visit.ok()) return EngineError(visit.status());
  absl::StatusOr<std::vector<StateMove>> moves =
      PlanStateMigration(chosen->location, (*visit)->engine()->description());
  if (!moves.ok()) return EngineError(moves.status());
  return ApplyPlanned(parts_, *chosen, "migrate", *moves, request.dry_run(),
                      MovesJson(request.connection(), *moves), response);
}

absl::Status ControlState::Import(ControlCall& /*call*/, const v1::ImportStateRequest& request,
                                  v1::StateChange* response) {
  if (absl::Status busy = CheckNotBusy(parts_, request.connection()); !busy.ok()) return busy;
  absl::StatusOr<std::vector<StateEntry>> entries = ParseStateFile("json", request.json());
  if (!entries.ok()) return WithField(entries.status(), "json");
  absl::StatusOr<ChosenState> chosen = ChooseState(parts_, request.connection());
  if (!chosen.ok()) return chosen.status();
  absl::StatusOr<std::vector<StateMove>> moves = PlanStateImport(chosen->location, *entries);
  if (!moves.ok()) return EngineError(moves.status());
  if (!NothingMoves(*moves)) {
    absl::StatusOr<std::unique_ptr<PluginVisit>> visit = parts_.runner->Visit(request.connection());
    if (!visit.ok()) return EngineError(visit.status());
    absl::StatusOr<SourceAnswer> answer = AskSource(*(*visit)->engine(), *moves);
    if (absl::Status asked = (*visit)->Explain(answer.status()); !asked.ok()) {
      return EngineError(asked);
    }
    if (!answer->resumes.ok()) {
      return Refused(absl::FailedPreconditionError(absl::StrCat(
          "connector ", answer->connector,
          " cannot resume from this state: ", answer->resumes.message(), "; nothing was changed")));
    }
  }
  return ApplyPlanned(parts_, *chosen, "import", *moves, request.dry_run(),
                      ImportPlanJson(request.connection(), *moves), response);
}

}  // namespace tidemark
