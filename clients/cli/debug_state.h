// files/state.json of `tidemark debug` against the versions that files/warehouse.db holds.
#ifndef TIDEMARK_CLIENTS_CLI_DEBUG_STATE_H_
#define TIDEMARK_CLIENTS_CLI_DEBUG_STATE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/engine.h"

namespace tidemark {

inline constexpr char kDebugDatabase[] = "files/warehouse.db";
inline constexpr char kDebugState[] = "files/state.json";

// FAILED_PRECONDITION when files/ holds the output of another connector: its tables and its state
// are not this one's.
absl::Status CheckDebugOutput(const Engine& engine);

// Before a sync. The state comes from `path`, else from FIVETRAN_STATE (a path, or the JSON object
// itself), else from files/state.json. One that no stored version holds becomes versions of kind
// import; an older one is ignored; a deleted files/state.json means: start from {}. Returns the
// line that says so, or nothing.
absl::StatusOr<std::string> TakeDebugState(Engine& engine, const std::string& path);

// After a sync: the current state into files/state.json.
absl::Status WriteDebugState(const Engine& engine);

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_DEBUG_STATE_H_
