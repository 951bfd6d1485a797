// The one way into every call: who calls, whether he may, and whether the request is one of ours.
#ifndef TIDEMARK_SERVICE_CALL_GATE_H_
#define TIDEMARK_SERVICE_CALL_GATE_H_

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "access/audit_log.h"
#include "access/failed_attempts.h"
#include "access/role.h"
#include "access/token_store.h"
#include "control/log.h"
#include "service/method_rules.h"

namespace grpc {
class ServerContextBase;
}
namespace google::protobuf {
class Message;
}

namespace tidemark {

// A call whose caller is known and has the method's role. A value.
struct AdmittedCall {
  Principal principal;
  const MethodRule* rule = nullptr;
  std::string from;    // "unix", or the peer's address without its port
  std::string object;  // what it is about: a connection, an id; for the audit log
  std::string token;   // as it was presented; a secret
};

// Thread-safe. Reads and writes the catalog: not for the threads of gRPC (service/call_pool.h).
class CallGate {
 public:
  struct Parts {
    TokenStore* tokens = nullptr;  // all borrowed
    FailedAttempts* attempts = nullptr;
    AuditLog* audit = nullptr;
    Log* log = nullptr;
    // Who the holders of client certificates are, by the certificate's common name or one of its
    // alternative names. Others need a token as well.
    std::map<std::string, Principal> certificates;
    std::function<void()> on_failure;  // somebody failed to prove who he is (alerts); may be empty
  };

  explicit CallGate(Parts parts) : parts_(std::move(parts)) {}
  CallGate(const CallGate&) = delete;
  CallGate& operator=(const CallGate&) = delete;

  // First of all, before a byte of the request is read: the caller (our unix socket, a bearer
  // token, a client certificate), then the method's role. `method` is the whole name.
  // UNAUTHENTICATED, PERMISSION_DENIED, RESOURCE_EXHAUSTED (too many failed attempts). Refusals are
  // in the audit log.
  absl::StatusOr<AdmittedCall> Admit(const grpc::ServerContextBase& context,
                                     absl::string_view method);

  // Whether Admit() has nothing to look up for this caller, and may be called on a thread of gRPC:
  // peers of our unix socket.
  static bool KnowsAtOnce(const grpc::ServerContextBase& context);

  // Then the request: the scope where it names it, and whether it is one of ours (CheckMessage()).
  // PERMISSION_DENIED, audited; INVALID_ARGUMENT.
  absl::Status CheckRequest(AdmittedCall& call, const google::protobuf::Message& request);

  // CallScope::kLater: whether the call may touch `connection`; PERMISSION_DENIED, audited. Becomes
  // the call's object where it has none.
  absl::Status Allow(AdmittedCall& call, absl::string_view connection);
  // CallScope::kEach: whether an element of `connection` is for the caller to see.
  static bool Sees(const AdmittedCall& call, absl::string_view connection);

  // For calls that take long: whether what admitted it still does (a token was revoked or expired).
  absl::Status StillAdmitted(const AdmittedCall& call);

  // The outcome of a call that changes something, for the audit log. The hashes (raw,
  // 32 bytes) are of what was and of what is; may be empty.
  void Record(const AdmittedCall& call, const absl::Status& outcome,
              absl::string_view before_hash = "", absl::string_view after_hash = "");

 private:
  void CountFailure(const std::string& peer);
  absl::StatusOr<Principal> Prove(const grpc::ServerContextBase& context, AdmittedCall* call);
  absl::StatusOr<Principal> ProveByToken(const std::string& peer, absl::string_view token);
  static absl::Status CheckScope(const google::protobuf::Message& request, AdmittedCall* call);
  void RecordRefusal(const AdmittedCall& call, absl::string_view method,
                     const absl::Status& refused);

  const Parts parts_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CALL_GATE_H_
