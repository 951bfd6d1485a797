// What happens to a damaged state: found at the start of a run, repaired where the connection
// allows it, and always said. Also behind `tidemark state validate` and `state repair`.
#ifndef TIDEMARK_CONTROL_STATE_RECOVERY_H_
#define TIDEMARK_CONTROL_STATE_RECOVERY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/connection.h"
#include "control/stored_state.h"
#include "destination/sqlite_witness.h"
#include "state/state_check.h"
#include "state/state_repair.h"

namespace tidemark {

// L0, L1 and L3 of a stored state, with what the destination's other tables say.
struct StateValidation {
  StateCheck check;
  StateCheckOptions options;  // with the evidence
  SqliteWitness witness;
  bool fresh = false;  // nothing was ever synced: there is no state to look at

  // The first finding that stops a sync, or null.
  const StateFinding* Worst() const { return check.Worst(); }
};

// Never writes, and works beside a sync. An error: the destination cannot be opened at all for
// another reason than damage.
absl::StatusOr<StateValidation> ValidateStored(const StateLocation& location, int64_t now_us);

// What a repair may do.
struct RecoveryChoice {
  bool repair = true;
  bool reset = false;
  std::string holder;                    // for people
  std::vector<std::string> begin_again;  // entries that the source refused
};

// The plan for what was found, nothing written.
absl::StatusOr<StateRepairPlan> PlanRecovery(const StateLocation& location,
                                             const StateValidation& validation,
                                             const RecoveryChoice& choice);
// Carries it out: a backup first, then columns of tables, then the state in one step.
absl::StatusOr<StateRepairPlan> Recover(const StateLocation& location,
                                        const StateValidation& validation,
                                        const RecoveryChoice& choice);

// At the start of a run, by state.recovery of the connection: the lines to be logged and to stand
// in the report, none when all is well. An error stops the run; it names class, meaning and remedy.
absl::StatusOr<std::vector<std::string>> RecoverBeforeSync(const StateLocation& location,
                                                           const RecoverySettings& settings,
                                                           const std::string& holder,
                                                           int64_t now_us);
// Before a sync with another store beside the destination: a store of files that cannot be read is
// moved aside where auto_repair allows it (never deleted), so that the sync makes it anew from the
// destination. The lines to be said, none when all is well; an error stops the run.
absl::StatusOr<std::vector<std::string>> RecoverOuterStore(const Connection& connection,
                                                           int64_t now_us);
// After the source has refused to go on from the state (`refusal` of SyncOutcome::error). The same;
// an error when the connection does not allow to begin again.
absl::StatusOr<std::vector<std::string>> RecoverAfterRefusal(const StateLocation& location,
                                                             const RecoverySettings& settings,
                                                             const absl::Status& refusal,
                                                             const std::string& holder,
                                                             int64_t now_us);

// What a repair does to the destination's tables, a line each.
std::vector<std::string> TableLines(const StateValidation& validation);

// "state repaired, class 1 (unreadable state version): ...".
std::vector<std::string> RepairLines(const StateRepairPlan& plan);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_STATE_RECOVERY_H_
