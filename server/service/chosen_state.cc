#include "service/chosen_state.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "control/config_node.h"
#include "control/state_documents.h"
#include "core/time_text.h"
#include "service/call_error.h"
#include "service/control_messages.h"
#include "service/control_syncs.h"
#include "wire/call_status.h"

namespace tidemark {

absl::StatusOr<ChosenState> ChooseState(const ControlParts& parts, const std::string& connection) {
  absl::StatusOr<Connection> loaded = parts.connections->Load(connection);
  if (!loaded.ok()) return SyncError(loaded.status());
  for (const std::string& secret : loaded->secrets) parts.redactor->AddSecret(secret);
  ChosenState chosen;
  chosen.connection = std::make_unique<Connection>(*std::move(loaded));
  chosen.location = {chosen.connection->destination.path, chosen.connection->name,
                     chosen.connection.get()};
  return chosen;
}

absl::Status CheckNotBusy(const ControlParts& parts, const std::string& connection) {
  const std::optional<std::string> busy = parts.runner->BusyWith(connection);
  if (!busy.has_value()) return absl::OkStatus();
  return WithReason(absl::FailedPreconditionError(
                        absl::StrCat("sync ", *busy, " of connection ", connection,
                                     " runs or waits; stop it, or call again when it has ended")),
                    "CONNECTION_BUSY", {{"sync_id", *busy}});
}

absl::StatusOr<std::optional<HistoryPoint>> PointOf(bool set, const v1::HistoryPoint& point,
                                                    const char* field) {
  if (!set) return std::optional<HistoryPoint>();
  HistoryPoint out;
  switch (point.point_case()) {
    case v1::HistoryPoint::kVersion:
      if (point.version() < 1) return BadField(field, "versions count from 1");
      out.version = point.version();
      out.text = absl::StrCat(point.version());
      break;
    case v1::HistoryPoint::kSyncId:
      if (point.sync_id().empty()) return BadField(field, "the sync_id is empty");
      out.sync_id = point.sync_id();
      out.text = point.sync_id();
      break;
    case v1::HistoryPoint::kTime:
      out.time_us = MicrosOf(point.time());
      out.text = FormatUtcMicros(*out.time_us);
      break;
    case v1::HistoryPoint::POINT_NOT_SET:
      return BadField(field, "set version, sync_id or time");
  }
  return std::optional<HistoryPoint>(std::move(out));
}

void AddMoves(absl::Span<const StateMove> moves, v1::StateChange* response) {
  for (const StateMove& move : moves) {
    v1::StateChange::Move* out = response->add_moves();
    out->set_entry(MessageText(move.head.entry));
    out->set_from_version(move.head.version);
    out->set_to_version(move.moves ? move.head.version + 1 : move.head.version);
    out->set_what(MessageText(NextSyncText(move)));
  }
}

void SetJson(const ControlParts& parts, const nlohmann::ordered_json& json,
             v1::StateChange* response) {
  response->set_json(parts.redactor->Apply(DumpJson(json, 2)));
}

absl::Status ApplyPlanned(const ControlParts& parts, const ChosenState& chosen,
                          const std::string& action, const std::vector<StateMove>& moves,
                          bool dry_run, nlohmann::ordered_json json, v1::StateChange* response) {
  AddMoves(moves, response);
  if (NothingMoves(moves)) {
    json["done"] = nlohmann::ordered_json::array();
  } else if (!dry_run) {
    absl::StatusOr<StateWritten> written = ApplyMoves(chosen.location, action, moves);
    if (!written.ok()) return EngineError(written.status());
    response->set_written(true);
    response->set_warning(MessageText(written->warning));
    AddWritten(*written, &json);
  }
  SetJson(parts, json, response);
  return absl::OkStatus();
}

}  // namespace tidemark
