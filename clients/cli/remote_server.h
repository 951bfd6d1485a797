// A server that commands work against (`--server`), instead of this machine.
#ifndef TIDEMARK_CLIENTS_CLI_REMOTE_SERVER_H_
#define TIDEMARK_CLIENTS_CLI_REMOTE_SERVER_H_

#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tidemark/v1/control.grpc.pb.h"

namespace tidemark {

struct ServerOptions {
  std::string address;      // "unix:PATH" or "HOST:PORT"; empty: this machine, no server
  std::string token_file;   // empty: the variable TIDEMARK_TOKEN
  std::string ca;           // PEM file; empty: the system's roots
  std::string certificate;  // PEM files of the client; both or none
  std::string key;
  bool plaintext = false;  // no TLS to an address that is not of this machine
};

// Confined to one thread, except stub().
class RemoteServer {
 public:
  // Reads the files; connects with the first call. TLS is used unless the address is a unix socket
  // or of this machine. IsUsage() holds for errors.
  static absl::StatusOr<std::unique_ptr<RemoteServer>> Open(const ServerOptions& options);

  const std::string& address() const { return address_; }
  v1::Control::Stub& stub() { return *stub_; }

  // Prepares a call: the token, and a deadline (infinite: none).
  void Prepare(grpc::ClientContext* context, absl::Duration timeout = absl::Minutes(10)) const;

  // One unary call: server.Call(&Stub::GetSync, request, &response).
  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (v1::Control::Stub::*method)(grpc::ClientContext*, const Request&,
                                                              Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    Prepare(&context);
    return StatusOf((*stub_.*method)(&context, request, response));
  }

  // What a call's failure means for the exit code: what the server's engine would have exited with
  // here, where it says so; a refused token is a refused credential; a wrong field is usage.
  absl::Status StatusOf(const grpc::Status& status) const;

 private:
  RemoteServer() = default;

  std::string address_;
  std::string token_;
  std::unique_ptr<v1::Control::Stub> stub_;
};

// The value of ErrorInfo.metadata[name] of a failed call, or empty; `name` empty: the reason.
std::string ErrorFact(const grpc::Status& status, const std::string& name);

}  // namespace tidemark

#endif  // TIDEMARK_CLIENTS_CLI_REMOTE_SERVER_H_
