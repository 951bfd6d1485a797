// The calls of Control about the server and its connections.
#ifndef TIDEMARK_SERVICE_CONTROL_CONNECTIONS_H_
#define TIDEMARK_SERVICE_CONTROL_CONNECTIONS_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "service/control_call.h"
#include "service/control_parts.h"
#include "tidemark/v1/control.pb.h"

namespace tidemark {

// Each function is the work of the call of its name: the caller was admitted, the request checked.
// Thread-safe.
class ControlConnections {
 public:
  explicit ControlConnections(const ControlParts& parts);

  absl::Status GetServer(ControlCall& call, const v1::GetServerRequest& request,
                         v1::Server* response);
  absl::Status List(ControlCall& call, const v1::ListConnectionsRequest& request,
                    v1::ListConnectionsResponse* response);
  absl::Status Get(ControlCall& call, const v1::GetConnectionRequest& request,
                   v1::ConnectionRecord* response);
  absl::Status Apply(ControlCall& call, const v1::ApplyConnectionRequest& request,
                     v1::ApplyConnectionResponse* response);
  absl::Status Delete(ControlCall& call, const v1::DeleteConnectionRequest& request,
                      v1::DeleteConnectionResponse* response);
  absl::Status Pause(ControlCall& call, const v1::PauseConnectionRequest& request,
                     v1::ConnectionRecord* response);
  absl::Status Resume(ControlCall& call, const v1::ResumeConnectionRequest& request,
                      v1::ConnectionRecord* response);

 private:
  absl::StatusOr<ApplyResult> ApplyOnce(ControlCall& call,
                                        const v1::ApplyConnectionRequest& request);
  absl::Status SetPaused(const std::string& name, bool paused, v1::ConnectionRecord* response);

  const ControlParts& parts_;
  const absl::Time started_at_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_CONNECTIONS_H_
