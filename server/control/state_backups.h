// Backups of a connection's state beside its destination: on a schedule, by hand, and back again.
#ifndef TIDEMARK_CONTROL_STATE_BACKUPS_H_
#define TIDEMARK_CONTROL_STATE_BACKUPS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "control/state_operations.h"
#include "control/stored_state.h"
#include "state/restore.h"
#include "state/state_backup.h"

namespace tidemark {

// The folder of this connection's backups.
std::string BackupFolderOf(const StateLocation& location);
// Into `folder`; `keep` as the connection says, else 7.
absl::StatusOr<std::string> BackUpState(const StateLocation& location, const std::string& folder);
// Before a sync: a backup when the newest one is older than state.backup.every. The line for the
// log, or "" when none was due or there is no state yet. A damaged state is not backed up.
absl::StatusOr<std::string> BackUpIfDue(const StateLocation& location);

// The newest backup of the folder that is whole. `skipped` gets a line for each newer one that is
// not. NOT_FOUND: there is none.
absl::StatusOr<StateBackup> ReadNewestBackup(const StateLocation& location,
                                             std::vector<std::string>* skipped);
absl::StatusOr<StateBackup> ReadBackupFile(const std::string& path);
absl::StatusOr<std::vector<RestoreStep>> PlanStateRestore(const StateLocation& location,
                                                          const StateBackup& backup);
absl::StatusOr<StateWritten> ApplyRestore(const StateLocation& location, const StateBackup& backup,
                                          const std::vector<RestoreStep>& steps);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_STATE_BACKUPS_H_
