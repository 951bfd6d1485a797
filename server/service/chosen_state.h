// What the state calls of Control share: the connection whose state it is, and a plan's answer.
#ifndef TIDEMARK_SERVICE_CHOSEN_STATE_H_
#define TIDEMARK_SERVICE_CHOSEN_STATE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "control/state_operations.h"
#include "nlohmann/json.hpp"
#include "service/control_parts.h"
#include "tidemark/v1/control.pb.h"

namespace tidemark {

struct ChosenState {
  std::unique_ptr<Connection> connection;
  StateLocation location;  // borrows `connection`
};

// NOT_FOUND; FAILED_PRECONDITION: the definition is not valid.
absl::StatusOr<ChosenState> ChooseState(const ControlParts& parts, const std::string& connection);
// FAILED_PRECONDITION, CONNECTION_BUSY: a sync of it runs or waits.
absl::Status CheckNotBusy(const ControlParts& parts, const std::string& connection);

// nullopt: the point is not set. INVALID_ARGUMENT names `field`.
absl::StatusOr<std::optional<HistoryPoint>> PointOf(bool set, const v1::HistoryPoint& point,
                                                    const char* field);

// The plan's moves as messages.
void AddMoves(absl::Span<const StateMove> moves, v1::StateChange* response);
// Carries out what was planned unless it is a dry run or nothing moves, and completes the answer;
// `json` is the plan's document.
absl::Status ApplyPlanned(const ControlParts& parts, const ChosenState& chosen,
                          const std::string& action, const std::vector<StateMove>& moves,
                          bool dry_run, nlohmann::ordered_json json, v1::StateChange* response);
// "done" of a dry run is left out; of a plan without moves it is [].
void SetJson(const ControlParts& parts, const nlohmann::ordered_json& json,
             v1::StateChange* response);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CHOSEN_STATE_H_
