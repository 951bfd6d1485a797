// The calls of Control about syncs and their reports.
#ifndef TIDEMARK_SERVICE_CONTROL_SYNCS_H_
#define TIDEMARK_SERVICE_CONTROL_SYNCS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/control_call.h"
#include "service/control_parts.h"
#include "tidemark/v1/control.pb.h"

namespace tidemark {

// As ControlConnections.
class ControlSyncs {
 public:
  explicit ControlSyncs(const ControlParts& parts) : parts_(parts) {}

  absl::Status Start(ControlCall& call, const v1::StartSyncRequest& request, v1::Sync* response);
  absl::Status Stop(ControlCall& call, const v1::StopSyncRequest& request, v1::Sync* response);
  absl::Status List(ControlCall& call, const v1::ListSyncsRequest& request,
                    v1::ListSyncsResponse* response);
  absl::Status Get(ControlCall& call, const v1::GetSyncRequest& request, v1::Sync* response);
  absl::Status GetReport(ControlCall& call, const v1::GetReportRequest& request,
                         v1::GetReportResponse* response);

  // The sync, where it is for the caller to see; NOT_FOUND also where it is not, so that ids of
  // other connections cannot be tried.
  absl::StatusOr<SyncEntry> Find(ControlCall& call, const std::string& sync_id) const;

 private:
  const ControlParts& parts_;
};

// FAILED_PRECONDITION of SyncRunner as a call answers it: CONNECTION_BUSY with the sync's id.
absl::Status SyncError(const absl::Status& status);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_SYNCS_H_
