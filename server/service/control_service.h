// tidemark.v1.Control: what clients do with a server (proto/tidemark/v1/control.proto).
#ifndef TIDEMARK_SERVICE_CONTROL_SERVICE_H_
#define TIDEMARK_SERVICE_CONTROL_SERVICE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "service/control_parts.h"

namespace grpc {
class Service;
}

namespace tidemark {

// Each call passes the gate and does its work on a thread of a pool: of one for short work (the
// catalog), of another for work that starts connectors or reads destinations. A thousand watchers
// hold no thread.
//
// Thread-safe. The end: BeginStop(); SyncRunner::Stop(); GrpcServer::Stop(); then this is
// destroyed, before the services that it made.
class ControlService {
 public:
  // Creates its tables in the catalog.
  static absl::StatusOr<std::unique_ptr<ControlService>> Create(ControlParts parts);
  ~ControlService();
  ControlService(const ControlService&) = delete;
  ControlService& operator=(const ControlService&) = delete;

  // For GrpcServer::ServiceFactory; borrows this.
  std::unique_ptr<grpc::Service> NewService();

  // From now on calls are answered UNAVAILABLE; watches end with it. Calls that run go on.
  void BeginStop();

 private:
  friend class ControlEndpoint;  // the methods over it
  struct Work;
  explicit ControlService(std::unique_ptr<Work> work);

  const std::unique_ptr<Work> work_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_SERVICE_H_
