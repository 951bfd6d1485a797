// Where a connector that is already running listens.
#ifndef TIDEMARK_SOURCE_CONNECTOR_ADDRESS_H_
#define TIDEMARK_SOURCE_CONNECTOR_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark {

// gRPC's name of `address`: "unix:PATH" (at most 107 bytes of path), or "grpc://HOST:PORT" where
// HOST is localhost (which is 127.0.0.1 here, whatever a resolver says), an address of
// 127.0.0.0/8, or [::1]. INVALID_ARGUMENT says what is wrong; other hosts need TLS.
absl::StatusOr<std::string> GrpcTarget(absl::string_view address);

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_CONNECTOR_ADDRESS_H_
