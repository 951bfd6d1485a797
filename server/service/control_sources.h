// The calls of Control that ask a connection's source, and those about plugins.
#ifndef TIDEMARK_SERVICE_CONTROL_SOURCES_H_
#define TIDEMARK_SERVICE_CONTROL_SOURCES_H_

#include "absl/status/status.h"
#include "service/control_call.h"
#include "service/control_parts.h"
#include "tidemark/v1/control.pb.h"

namespace tidemark {

// As ControlConnections. Each call has an engine of its own.
class ControlSources {
 public:
  explicit ControlSources(const ControlParts& parts) : parts_(parts) {}

  absl::Status Check(ControlCall& call, const v1::CheckConnectionRequest& request,
                     v1::CheckConnectionResponse* response);
  absl::Status Plan(ControlCall& call, const v1::PlanConnectionRequest& request,
                    v1::PlanConnectionResponse* response);
  absl::Status ListTables(ControlCall& call, const v1::ListTablesRequest& request,
                          v1::ListTablesResponse* response);
  absl::Status Preview(ControlCall& call, const v1::PreviewTableRequest& request,
                       v1::PreviewTableResponse* response);
  absl::Status ListPlugins(ControlCall& call, const v1::ListPluginsRequest& request,
                           v1::ListPluginsResponse* response);
  absl::Status DescribePlugin(ControlCall& call, const v1::DescribePluginRequest& request,
                              v1::Plugin* response);

 private:
  const ControlParts& parts_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_SOURCES_H_
