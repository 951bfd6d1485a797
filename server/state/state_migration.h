// Bringing states of an older format to the one a connector writes today: steps from n to n + 1,
// pure functions, each with golden files (tests/state/golden).
#ifndef TIDEMARK_STATE_STATE_MIGRATION_H_
#define TIDEMARK_STATE_STATE_MIGRATION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/checkpoint.h"
#include "state/rollback.h"
#include "state/state_store.h"

namespace tidemark {

// The entry as the next format says it. Must not read anything but its argument. The format number
// is set by the caller.
using StateStep = std::function<absl::StatusOr<StateEntry>(const StateEntry&)>;

// Thread-compatible.
class StateMigrations {
 public:
  // The step of states of `connector` from format `from` to `from` + 1.
  void Add(const std::string& connector, uint32_t from, StateStep step);

  // `entry` in format `to`; the same when it has it already. FAILED_PRECONDITION: it is of a newer
  // format. UNIMPLEMENTED: a step is missing. An error of a step names it.
  absl::StatusOr<StateEntry> Migrate(const std::string& connector, const StateEntry& entry,
                                     uint32_t to) const;

  // The steps of this release. There are none: every connector writes its first format.
  static const StateMigrations& Released();

 private:
  std::map<std::pair<std::string, uint32_t>, StateStep> steps_;
};

// One move of kind migrate for each entry (those in format `to` do not move). Empty states have no
// format and stay.
absl::StatusOr<std::vector<StateMove>> PlanMigration(StateStore& store,
                                                     const StateMigrations& migrations,
                                                     const std::string& connector, uint32_t to);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_STATE_MIGRATION_H_
