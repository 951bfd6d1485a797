// Where the server listens, and whether it may listen there. Pure functions.
//
//   address = "unix:" path                 ; fewer than 108 bytes
//           | host ":" port                ; port: 0 (any that is free) to 65535
//   host    = IPv4 | "[" IPv6 "]" | name   ; "localhost" is read as 127.0.0.1
#ifndef TIDEMARK_ACCESS_LISTEN_ADDRESS_H_
#define TIDEMARK_ACCESS_LISTEN_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark {

class ListenAddress {
 public:
  // INVALID_ARGUMENT says what is wrong and gives an example. Abstract sockets ("@name") are
  // refused: they have no permissions.
  static absl::StatusOr<ListenAddress> Parse(absl::string_view text);

  bool is_unix() const { return !path_.empty(); }
  // Only programs of this machine reach it: a literal loopback address. What a name stands for is
  // decided elsewhere, so that no other name counts.
  bool is_loopback() const { return loopback_; }
  const std::string& path() const { return path_; }  // of a unix socket
  const std::string& host() const { return host_; }  // without brackets
  uint16_t port() const { return port_; }
  // As gRPC takes it: "unix:/run/tidemark.sock", "127.0.0.1:7600", "[::1]:7600".
  std::string Text() const;

 private:
  ListenAddress() = default;

  std::string path_;
  std::string host_;
  uint16_t port_ = 0;
  bool loopback_ = false;
};

struct ListenProtection {
  bool tls = false;
  bool tokens = false;  // callers must present a token, or a certificate of the client CA
};

// OK for a unix socket, for a loopback address, and for any other one with TLS and tokens.
// FAILED_PRECONDITION: the text with which the start ends.
absl::Status CheckListen(const ListenAddress& address, const ListenProtection& protection);

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_LISTEN_ADDRESS_H_
