// The calls of Control about tokens, secrets and the audit log.
#ifndef TIDEMARK_SERVICE_CONTROL_ACCESS_H_
#define TIDEMARK_SERVICE_CONTROL_ACCESS_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "service/control_call.h"
#include "service/control_parts.h"
#include "tidemark/v1/control.pb.h"

namespace tidemark {

// As ControlConnections.
class ControlAccess {
 public:
  // `on_revoked`: after a token was revoked, for calls that it let in.
  ControlAccess(const ControlParts& parts, std::function<void()> on_revoked)
      : parts_(parts), on_revoked_(std::move(on_revoked)) {}

  absl::Status CreateToken(ControlCall& call, const v1::CreateTokenRequest& request,
                           v1::CreateTokenResponse* response);
  absl::Status ListTokens(ControlCall& call, const v1::ListTokensRequest& request,
                          v1::ListTokensResponse* response);
  absl::Status RevokeToken(ControlCall& call, const v1::RevokeTokenRequest& request,
                           v1::Token* response);
  // When it returns, connections that waited for the secret are valid.
  absl::Status SetSecret(ControlCall& call, const v1::SetSecretRequest& request,
                         v1::Secret* response);
  absl::Status ListSecrets(ControlCall& call, const v1::ListSecretsRequest& request,
                           v1::ListSecretsResponse* response);
  absl::Status DeleteSecret(ControlCall& call, const v1::DeleteSecretRequest& request,
                            v1::DeleteSecretResponse* response);
  absl::Status RotateMasterKey(ControlCall& call, const v1::RotateMasterKeyRequest& request,
                               v1::RotateMasterKeyResponse* response);
  absl::Status ListAudit(ControlCall& call, const v1::ListAuditRequest& request,
                         v1::ListAuditResponse* response);
  absl::Status VerifyAudit(ControlCall& call, const v1::VerifyAuditRequest& request,
                           v1::VerifyAuditResponse* response);
  absl::Status AcceptAudit(ControlCall& call, const v1::AcceptAuditRequest& request,
                           v1::AcceptAuditResponse* response);

 private:
  void Heal(const std::string& secret);

  const ControlParts& parts_;
  const std::function<void()> on_revoked_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONTROL_ACCESS_H_
