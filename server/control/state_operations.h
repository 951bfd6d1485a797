// Changing the stored state of a connection: a plan first, then new versions with a line in the
// audit record. Nothing here ever removes a version.
#ifndef TIDEMARK_CONTROL_STATE_OPERATIONS_H_
#define TIDEMARK_CONTROL_STATE_OPERATIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "control/engine.h"
#include "control/stored_state.h"
#include "core/checkpoint.h"
#include "core/schema.h"
#include "state/history_point.h"
#include "state/rollback.h"

namespace tidemark {

// What the connector says to the states of a plan.
struct SourceAnswer {
  std::string connector;
  bool can_rewind = false;
  absl::Status resumes;  // its ValidateState; OK also where it has none
};
// Starts the connector. An error: it could not be asked.
absl::StatusOr<SourceAnswer> AskSource(Engine& engine, absl::Span<const StateMove> moves);
// OK, or FAILED_PRECONDITION with what the connector said.
absl::Status CheckAnswer(const SourceAnswer& answer);

absl::StatusOr<std::vector<StateMove>> PlanStateRollback(const StateLocation& location,
                                                         const HistoryPoint& to,
                                                         const std::optional<std::string>& entry);
absl::StatusOr<std::vector<StateMove>> PlanStateReset(const StateLocation& location,
                                                      const std::optional<std::string>& entry);
// Moves of kind import to `entries`; other entries of the store are left alone. The store need not
// exist.
absl::StatusOr<std::vector<StateMove>> PlanStateImport(const StateLocation& location,
                                                       const std::vector<StateEntry>& entries);
// Moves of kind migrate to the format that the connector writes.
absl::StatusOr<std::vector<StateMove>> PlanStateMigration(const StateLocation& location,
                                                          const ConnectorDescription& connector);

struct StateWritten {
  struct Entry {
    std::string entry;
    int64_t version = 0;  // the current one now
  };
  std::vector<Entry> entries;
  std::string warning;  // empty: none
};
// Carries the moves out as versions. `action` is the command: "rollback"; before "migrate" the
// state is backed up. DATA_LOSS (DIVERGED): the state changed since it was planned, nothing was
// written.
absl::StatusOr<StateWritten> ApplyMoves(const StateLocation& location, const std::string& action,
                                        absl::Span<const StateMove> moves);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_STATE_OPERATIONS_H_
