#include "service/control_access.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "core/text.h"
#include "service/call_error.h"
#include "service/control_messages.h"
#include "service/page_token.h"
#include "wire/call_status.h"

namespace tidemark {
namespace {

constexpr size_t kPage = 500;
constexpr size_t kMaxReasonBytes = 500;

void ToMessage(const TokenRecord& record, v1::Token* message) {
  message->set_id(record.id);
  message->set_role(std::string(RoleName(record.role)));
  for (const std::string& glob : record.connections) message->add_connections(MessageText(glob));
  message->set_note(MessageText(record.note));
  SetTime(record.created_at, message->mutable_created_at());
  if (record.expires_at.has_value()) SetTime(*record.expires_at, message->mutable_expires_at());
  if (record.revoked_at.has_value()) SetTime(*record.revoked_at, message->mutable_revoked_at());
  if (record.last_used_at.has_value()) {
    SetTime(*record.last_used_at, message->mutable_last_used_at());
  }
}

void ToMessage(const SecretRecord& record, v1::Secret* message) {
  message->set_name(record.name);
  message->set_version(static_cast<uint64_t>(record.version));
  SetTime(record.set_at, message->mutable_changed_at());
}

void ToMessage(const AuditEntry& entry, v1::AuditEntry* message) {
  message->set_sequence(entry.sequence);
  SetTime(entry.time, message->mutable_at());
  message->set_who(MessageText(entry.event.who));
  message->set_from(MessageText(entry.event.from));
  message->set_method(MessageText(entry.event.method));
  message->set_object(MessageText(entry.event.object));
  message->set_before_hash(Hex(entry.event.before_hash));
  message->set_after_hash(Hex(entry.event.after_hash));
  message->set_result(MessageText(entry.event.result));
}

}  // namespace

absl::Status ControlAccess::CreateToken(ControlCall& call, const v1::CreateTokenRequest& request,
                                        v1::CreateTokenResponse* response) {
  TokenStore::Request create;
  absl::StatusOr<Role> role = ParseRole(request.role());
  if (!role.ok()) return WithField(role.status(), "role");
  create.role = *role;
  create.connections.assign(request.connections().begin(), request.connections().end());
  create.note = request.note();
  if (request.has_expires_at()) create.expires_at = TimeOf(request.expires_at());
  absl::StatusOr<TokenStore::Created> created = parts_.tokens->Create(create);
  if (!created.ok()) return created.status();
  call.admitted.object = created->record.id;
  ToMessage(created->record, response->mutable_token());
  response->set_text(created->text);
  return absl::OkStatus();
}

absl::Status ControlAccess::ListTokens(ControlCall& /*call*/, const v1::ListTokensRequest& request,
                                       v1::ListTokensResponse* response) {
  absl::StatusOr<PageRequest> page = ReadPage(request);
  if (!page.ok()) return page.status();
  absl::StatusOr<int64_t> after = NumberOf(*page);
  if (!after.ok()) return after.status();
  absl::StatusOr<std::vector<TokenRecord>> tokens = parts_.tokens->List(*after, page->size + 1);
  if (!tokens.ok()) return tokens.status();
  if (tokens->size() > page->size) {
    tokens->resize(page->size);
    response->set_next_page_token(PageToken(request, absl::StrCat(tokens->back().sequence)));
  }
  for (const TokenRecord& token : *tokens) ToMessage(token, response->add_tokens());
  return absl::OkStatus();
}

absl::Status ControlAccess::RevokeToken(ControlCall& /*call*/,
                                        const v1::RevokeTokenRequest& request,
                                        v1::Token* response) {
  absl::StatusOr<TokenRecord> token = parts_.tokens->Revoke(request.id());
  if (!token.ok()) return token.status();
  on_revoked_();
  ToMessage(*token, response);
  return absl::OkStatus();
}

absl::Status ControlAccess::SetSecret(ControlCall& /*call*/, const v1::SetSecretRequest& request,
                                      v1::Secret* response) {
  // Before it is stored: nothing that is said from here on may repeat it.
  parts_.redactor->AddSecret(request.value());
  absl::StatusOr<SecretRecord> secret = parts_.secrets->Set(request.name(), request.value());
  if (!secret.ok()) return secret.status();
  Heal(request.name());
  ToMessage(*secret, response);
  return absl::OkStatus();
}

// Connections that refer to the secret: those without a value until now are valid, those that
// failed are tried again at once.
void ControlAccess::Heal(const std::string& secret) {
  if (absl::Status read = parts_.connections->Reload().status(); !read.ok()) {
    parts_.log->Write(LogLevel::kWarning, {},
                      absl::StrCat("the connections were not read again after the secret ", secret,
                                   " was set: ", read.message()));
  }
  if (!parts_.close_breaker) return;
  const std::string reference = absl::StrCat("${secret:", secret, "}");
  std::string after;
  while (true) {
    const std::vector<ConnectionEntry> page = parts_.connections->List(after, kPage);
    if (page.empty()) return;
    for (const ConnectionEntry& entry : page) {
      if (absl::StrContains(*entry.yaml, reference)) parts_.close_breaker(entry.name);
    }
    after = page.back().name;
  }
}

absl::Status ControlAccess::ListSecrets(ControlCall& /*call*/,
                                        const v1::ListSecretsRequest& request,
                                        v1::ListSecretsResponse* response) {
  absl::StatusOr<PageRequest> page = ReadPage(request);
  if (!page.ok()) return page.status();
  absl::StatusOr<std::vector<SecretRecord>> secrets =
      parts_.secrets->List(page->after, page->size + 1);
  if (!secrets.ok()) return secrets.status();
  if (secrets->size() > page->size) {
    secrets->resize(page->size);
    response->set_next_page_token(PageToken(request, secrets->back().name));
  }
  for (const SecretRecord& secret : *secrets) ToMessage(secret, response->add_secrets());
  return absl::OkStatus();
}

absl::Status ControlAccess::DeleteSecret(ControlCall& /*call*/,
                                         const v1::DeleteSecretRequest& request,
                                         v1::DeleteSecretResponse* /*response*/) {
  return parts_.secrets->Delete(request.name());
}

absl::Status ControlAccess::RotateMasterKey(ControlCall& call,
                                            const v1::RotateMasterKeyRequest& /*request*/,
                                            v1::RotateMasterKeyResponse* response) {
  const bool named = parts_.next_key->named();
  std::optional<SecretKey> next;
  if (named) {
    absl::StatusOr<SecretKey> key = parts_.next_key->Read();
    if (!key.ok()) return key.status();
    next = *std::move(key);
  }
  absl::StatusOr<KeyRotation> rotated = parts_.secrets->Rotate(std::move(next));
  if (!rotated.ok()) return rotated.status();
  call.admitted.object = absl::StrCat("master key ", rotated->old_key, ", now ", rotated->new_key);
  response->set_old_key_id(rotated->old_key);
  response->set_new_key_id(rotated->new_key);
  response->set_secrets(rotated->secrets);
  if (!named) return absl::OkStatus();
  const std::string to_do = absl::StrCat(
      "before the next start of the server secrets.key of its settings must give master key ",
      rotated->new_key, ", which stands in ", parts_.next_key->Describe());
  parts_.log->Write(LogLevel::kWarning, {}, absl::StrCat("the master key was rotated: ", to_do));
  response->set_to_do(MessageText(to_do));
  return absl::OkStatus();
}

absl::Status ControlAccess::ListAudit(ControlCall& /*call*/, const v1::ListAuditRequest& request,
                                      v1::ListAuditResponse* response) {
  absl::StatusOr<PageRequest> page = ReadPage(request);
  if (!page.ok()) return page.status();
  absl::StatusOr<int64_t> before = NumberOf(*page);
  if (!before.ok()) return before.status();
  absl::StatusOr<std::vector<AuditEntry>> entries = parts_.audit->List(*before, page->size + 1);
  if (!entries.ok()) return entries.status();
  if (entries->size() > page->size) {
    entries->resize(page->size);
    response->set_next_page_token(PageToken(request, absl::StrCat(entries->back().sequence)));
  }
  for (const AuditEntry& entry : *entries) ToMessage(entry, response->add_entries());
  return absl::OkStatus();
}

absl::Status ControlAccess::VerifyAudit(ControlCall& /*call*/,
                                        const v1::VerifyAuditRequest& /*request*/,
                                        v1::VerifyAuditResponse* response) {
  absl::StatusOr<AuditCheck> check = parts_.audit->Verify(std::nullopt);
  if (!check.ok()) return check.status();
  response->set_ok(check->ok());
  response->set_entries(check->entries);
  if (!check->ok()) {
    response->set_problem(absl::StrCat("entry ", check->first_broken, ": ", check->problem));
  }
  response->set_head(check->head.Text());
  for (const int64_t sequence : check->accepted) response->add_accepted(sequence);
  return absl::OkStatus();
}

absl::Status ControlAccess::AcceptAudit(ControlCall& call, const v1::AcceptAuditRequest& request,
                                        v1::AcceptAuditResponse* response) {
  const std::string& reason = request.reason();
  if (absl::StripAsciiWhitespace(reason).empty() || reason.size() > kMaxReasonBytes ||
      !IsUtf8(reason) || HasNul(reason)) {
    return BadField("reason", absl::StrCat("say why the loss is accepted, in 1 to ",
                                           kMaxReasonBytes, " bytes of UTF-8"));
  }
  AuditEvent event;
  event.who = call.admitted.principal.name;
  event.from = call.admitted.from;
  event.object = reason;
  event.result = "ok";
  absl::StatusOr<AuditEntry> accepted = parts_.audit->Accept(event);
  if (absl::IsFailedPrecondition(accepted.status())) {
    return WithReason(accepted.status(), "NOTHING_MISSING");
  }
  if (!accepted.ok()) return accepted.status();
  // The call's own entry comes behind it, the first one that is appended again.
  call.admitted.object = absl::StrCat("entry ", accepted->sequence);
  response->set_head(AuditHead{accepted->sequence, accepted->hash}.Text());
  ToMessage(*accepted, response->mutable_entry());
  parts_.log->Write(LogLevel::kWarning, {},
                    absl::StrCat("a loss of the audit log was accepted: ", accepted->event.object));
  return absl::OkStatus();
}

}  // namespace tidemark
