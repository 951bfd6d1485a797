// Putting a backup back: as versions of kind import on top of what is there, or, where an entry is
// gone altogether, its history as it was.
#ifndef TIDEMARK_STATE_RESTORE_H_
#define TIDEMARK_STATE_RESTORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "state/rollback.h"
#include "state/state_backup.h"
#include "state/state_store.h"

namespace tidemark {

struct RestoreStep {
  enum class What { kNothing, kImport, kRecreate };
  What what = What::kNothing;
  const BackupEntry* entry = nullptr;  // of the backup, borrowed
  StateHead current;                   // version 0: the entry is gone
  std::string cursor_now;              // of the current version
  // The backup's state lies before what the source may have forgotten.
  bool beyond_horizon = false;
};

// One step for each entry of `backup`, which outlives the plan. Entries of the store that the
// backup does not know are left alone. A store that does not exist holds no entry.
absl::StatusOr<std::vector<RestoreStep>> PlanRestore(StateStore& store, const StateBackup& backup,
                                                     int64_t now_us,
                                                     const RollbackHorizon& horizon);

// What carries it out, in one atomic append: several for an entry that is made again.
std::vector<VersionAppend> MakeRestore(const std::vector<RestoreStep>& steps,
                                       const MoveStamp& stamp);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_RESTORE_H_
