#include "tests/pipeline/scripted_source.h"

#include <utility>

namespace tidemark {

Move Mark(uint64_t id, std::string body, std::vector<TableRows> rows) {
  Checkpoint checkpoint;
  checkpoint.id = id;
  StateEntry& state = checkpoint.states.emplace_back();
  state.cursor = body;
  state.body = std::move(body);
  checkpoint.rows_since_last = std::move(rows);
  return Say(SourceEvent(std::move(checkpoint)));
}

Move MarkTables(uint64_t id, std::vector<std::pair<std::string, std::string>> bodies) {
  Checkpoint checkpoint;
  checkpoint.id = id;
  for (auto& [table, body] : bodies) {
    StateEntry& state = checkpoint.states.emplace_back();
    state.table = table;
    state.cursor = body;
    state.body = std::move(body);
  }
  return Say(SourceEvent(std::move(checkpoint)));
}

absl::StatusOr<ConnectorDescription> ScriptedSource::Describe() {
  ConnectorDescription description;
  description.id = "scripted";
  description.capabilities = play_.capabilities;
  return description;
}

absl::StatusOr<std::vector<TableSchema>> ScriptedSource::Schema() {
  if (!play_.schema_failure.ok()) return play_.schema_failure;
  return play_.tables;
}

absl::Status ScriptedSource::Start(const UpdateStart& start) {
  play_.starts.push_back(start);
  moves_ = play_.script(start);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<SourceEvent>> ScriptedSource::Next(absl::Time deadline) {
  while (!moves_.empty()) {
    Move& move = moves_.front();
    if (move.act) {
      auto act = std::move(move.act);
      moves_.pop_front();
      act();
      continue;
    }
    if (move.wait > absl::ZeroDuration()) {
      const absl::Duration left = deadline - clock_.Now();
      if (left < move.wait) {
        if (left > absl::ZeroDuration()) {
          clock_.Advance(left);
          move.wait -= left;
        }
        return std::nullopt;
      }
      clock_.Advance(move.wait);
      moves_.pop_front();
      continue;
    }
    Move taken = std::move(move);
    moves_.pop_front();
    if (!taken.failure.ok()) return taken.failure;
    return std::optional<SourceEvent>(std::move(taken.event));
  }
  return AsTransportFailure(absl::DataLossError("the connector stopped without saying so"));
}

}  // namespace tidemark
