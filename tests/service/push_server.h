// The parts of a server that pushes pass through, on a unix socket: for the bench and for the tests
// that kill it.
#ifndef TIDEMARK_TESTS_SERVICE_PUSH_SERVER_H_
#define TIDEMARK_TESTS_SERVICE_PUSH_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace tidemark::test {

// Thread-safe. The destructor stops it in order.
class PushServer {
 public:
  // The connection files are those of `folder`; its own are in `folder`/data.
  static absl::StatusOr<std::unique_ptr<PushServer>> Open(const std::string& folder);
  ~PushServer();
  PushServer(const PushServer&) = delete;
  PushServer& operator=(const PushServer&) = delete;

  const std::string& address() const;

 private:
  struct Parts;
  explicit PushServer(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace tidemark::test

#endif  // TIDEMARK_TESTS_SERVICE_PUSH_SERVER_H_
