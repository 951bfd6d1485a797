// Looking at the stored state of a connection: its versions, their bodies, a file of them.
#ifndef TIDEMARK_CONTROL_STATE_LOG_H_
#define TIDEMARK_CONTROL_STATE_LOG_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/stored_state.h"
#include "core/checkpoint.h"
#include "state/history_point.h"
#include "state/state_diff.h"
#include "state/state_version.h"

namespace tidemark {

struct StateLogQuery {
  std::optional<std::string> entry;
  int64_t limit = 20;  // newest versions over all entries
};
struct StateLogLine {
  StateVersion version;  // without its body
  int64_t body_bytes = -1;
};
// Calls `each` with the newest versions, newest first. DATA_LOSS where one of them does not fit
// (its hashes over everything but the body, its link to the next older one, the entry's current
// version): said after all were listed.
absl::Status ReadStateLog(const StateLocation& location, const StateLogQuery& query,
                          const std::function<void(const StateLogLine&)>& each);

// The versions at `point` (nullopt: the current ones) with their bodies, one per entry; entries
// that did not exist then are left out. A body that does not fit its hash is shown all the same.
absl::StatusOr<std::vector<StateVersion>> ReadStates(const StateLocation& location,
                                                     const std::optional<HistoryPoint>& point,
                                                     const std::optional<std::string>& entry);

// The same as entries, for FormatStateFile.
absl::StatusOr<std::vector<StateEntry>> ExportStates(const StateLocation& location,
                                                     const std::optional<HistoryPoint>& point,
                                                     const std::optional<std::string>& entry);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_STATE_LOG_H_
