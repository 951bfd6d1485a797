// The listeners of a server: unix sockets of its own user, and TCP on loopback or with TLS.
#ifndef TIDEMARK_SERVICE_GRPC_SERVER_H_
#define TIDEMARK_SERVICE_GRPC_SERVER_H_

#include <grpcpp/impl/service_type.h>  // unique_ptr of it in ServiceFactory

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "control/log.h"
#include "service/settings.h"

namespace tidemark {

// What every listener has: requests of at most 4 MiB, compression refused, 64 streams at once on a
// connection, 10 s for its handshake, limits on pings, bounded memory, no channelz, and
// grpc.health.v1.Health (the only service that asks for no proof).
//
// A unix socket is 0600; each connection's peer is asked for by SO_PEERCRED and must be our user or
// root. A socket that nobody answers on is replaced, any other file is not. The folder of it is
// made (0700) where it is missing, and refused where others may write.
//
// TLS: 1.2 or newer; certificate, key and client CA are read again when the files change.
//
// Thread-safe after Start().
class GrpcServer {
 public:
  struct Options {
    std::vector<ListenSettings> listen;
    bool reflection = false;                          // grpc.reflection, on unix sockets only
    Log* log = nullptr;                               // borrowed
    absl::Duration reload_every = absl::Seconds(10);  // how often the files of TLS are looked at
  };
  // A service belongs to one gRPC server, and unix sockets and TCP are two: each factory is called
  // once for either. The objects they return live as long as this does.
  using ServiceFactory = std::function<std::unique_ptr<grpc::Service>()>;

  // FAILED_PRECONDITION: an address that others can reach has no TLS, another server answers
  // there, a certificate does not fit its key, ...: says which address and what to do.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(
      Options options, const std::vector<ServiceFactory>& services);
  ~GrpcServer();  // Stop() with no grace
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // As clients dial them, port 0 replaced: "unix:/run/tidemark/tidemark.sock", "127.0.0.1:7443".
  const std::vector<std::string>& addresses() const;

  // What grpc.health.v1 says of the server as a whole (""), tidemark.v1.Control and
  // tidemark.v1.Ingest. True after Start().
  void SetServing(bool serving);

  // No new calls; those that run have `grace` to end and are cancelled then. Removes the sockets.
  // A second call does nothing.
  void Stop(absl::Duration grace);

 private:
  struct Parts;
  explicit GrpcServer(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_GRPC_SERVER_H_
