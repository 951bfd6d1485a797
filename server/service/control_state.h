// The calls of Control about the stored state of a connection: `tidemark state ...`.
#ifndef TIDEMARK_SERVICE_CONTROL_STATE_H_
#define TIDEMARK_SERVICE_CONTROL_STATE_H_

#include "absl/status/status.h"
#include "service/control_call.h"
#include "service/control_parts.h"
#include "tidemark/v1/control.pb.h"

namespace tidemark {

// As ControlConnections. What changes a state becomes the holder of the connection: a sync that
// runs is in the way (CONNECTION_BUSY), and one that would begin meanwhile waits or fails.
class ControlState {
 public:
  explicit ControlState(const ControlParts& parts) : parts_(parts) {}

  absl::Status ListVersions(ControlCall& call, const v1::ListStateVersionsRequest& request,
                            v1::ListStateVersionsResponse* response);
  absl::Status Get(ControlCall& call, const v1::GetStateRequest& request,
                   v1::GetStateResponse* response);
  absl::Status Diff(ControlCall& call, const v1::DiffStateRequest& request,
                    v1::DiffStateResponse* response);
  absl::Status Export(ControlCall& call, const v1::ExportStateRequest& request,
                      v1::ExportStateResponse* response);
  absl::Status Rollback(ControlCall& call, const v1::RollbackStateRequest& request,
                        v1::StateChange* response);
  absl::Status Reset(ControlCall& call, const v1::ResetStateRequest& request,
                     v1::StateChange* response);
  absl::Status Migrate(ControlCall& call, const v1::MigrateStateRequest& request,
                       v1::StateChange* response);
  absl::Status Import(ControlCall& call, const v1::ImportStateRequest& request,
                      v1::StateChange* response);
  absl::Status Repair(ControlCall& call, const v1::RepairStateRequest& request,
                      v1::StateChange* response);
  absl::Status Validate(ControlCall& call, const v1::ValidateStoredStateRequest& request,
                        v1::ValidateStoredStateResponse* response);
  absl::Status Backup(ControlCall& call, const v1::BackupStateRequest& request,
                      v1::BackupStateResponse* response);
  absl::Status Restore(ControlCall& call, const v1::RestoreStateRequest& request,
                       v1::StateChange* response);

 private:
  const ControlParts& parts_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_STATE_H_
