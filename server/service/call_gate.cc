#include "service/call_gate.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/server_context.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "access/token.h"
#include "service/call_error.h"
#include "service/message_check.h"

namespace tidemark {
namespace {

constexpr char kUnix[] = "unix";
constexpr char kScheme[] = "bearer ";

absl::string_view View(const grpc::string_ref& text) { return {text.data(), text.size()}; }

// The token of the call's metadata; nullopt: there is none. Two of them are none: which one a proxy
// in between meant cannot be known.
absl::StatusOr<std::optional<std::string>> PresentedToken(const grpc::ServerContextBase& context) {
  const auto [first, last] = context.client_metadata().equal_range("authorization");
  if (first == last) return std::optional<std::string>();
  if (std::next(first) != last) {
    return WithReason(absl::UnauthenticatedError("the call has two authorization headers"),
                      "BAD_AUTHORIZATION");
  }
  const absl::string_view header = View(first->second);
  if (!absl::StartsWithIgnoreCase(header, kScheme)) {
    return WithReason(absl::UnauthenticatedError(
                          "the authorization header is not of the form \"Bearer tm_ID_SECRET\""),
                      "BAD_AUTHORIZATION");
  }
  return std::optional<std::string>(absl::StripAsciiWhitespace(header.substr(sizeof(kScheme) - 1)));
}

// Names that the certificate of a peer was verified for.
std::vector<std::string> CertificateNames(const grpc::ServerContextBase& context) {
  std::vector<std::string> names;
  const std::shared_ptr<const grpc::AuthContext> peer = context.auth_context();
  if (peer == nullptr || !peer->IsPeerAuthenticated()) return names;
  for (const char* property :
       {"x509_subject", "x509_common_name", "x509_subject_alternative_name"}) {
    for (const grpc::string_ref& value : peer->FindPropertyValues(property)) {
      names.emplace_back(View(value));
    }
  }
  return names;
}

std::string TextField(const google::protobuf::Message& message, const char* name) {
  const google::protobuf::FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->is_repeated() ||
      field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_STRING) {
    return "";
  }
  return message.GetReflection()->GetString(message, field);
}

// "Control/ApplyConnection".
std::string ShortMethod(absl::string_view method) {
  absl::ConsumePrefix(&method, "/tidemark.v1.");
  return std::string(method.substr(0, 200));
}

absl::Status RoleTooLow(const AdmittedCall& call) {
  return WithReason(
      absl::PermissionDeniedError(absl::StrCat(ShortMethod(call.rule->method), " needs the role ",
                                               RoleName(call.rule->role), ", ", call.principal.name,
                                               " has ", RoleName(call.principal.role))),
      "ROLE_TOO_LOW", {{"needed", std::string(RoleName(call.rule->role))}});
}

absl::Status OutOfScope(const AdmittedCall& call, absl::string_view connection) {
  if (!HasRole(call.principal, call.rule->role)) return RoleTooLow(call);
  return WithReason(
      absl::PermissionDeniedError(
          connection.empty()
              ? absl::StrCat(call.principal.name, " is limited to some connections, and ",
                             ShortMethod(call.rule->method), " concerns the whole server")
              : absl::StrCat(call.principal.name, " may not use connection \"", connection, "\"")),
      "OTHER_CONNECTION");
}

}  // namespace

absl::StatusOr<AdmittedCall> CallGate::Admit(const grpc::ServerContextBase& context,
                                             absl::string_view method) {
  AdmittedCall call;
  call.rule = FindMethodRule(method);
  absl::StatusOr<Principal> principal = Prove(context, &call);
  if (!principal.ok()) {
    // Who is made to wait is not written down each time: it would fill the log for him.
    if (absl::IsUnauthenticated(principal.status())) {
      RecordRefusal(call, method, principal.status());
    }
    return principal.status();
  }
  call.principal = *std::move(principal);
  absl::Status allowed = absl::OkStatus();
  if (call.rule == nullptr) {
    allowed = WithReason(absl::PermissionDeniedError("nobody may call this method"), "NO_RULE");
  } else if (!HasRole(call.principal, call.rule->role)) {
    allowed = RoleTooLow(call);
  }
  if (!allowed.ok()) {
    RecordRefusal(call, method, allowed);
    return allowed;
  }
  return call;
}

absl::Status CallGate::CheckRequest(AdmittedCall& call, const google::protobuf::Message& request) {
  if (absl::Status allowed = CheckScope(request, &call); !allowed.ok()) {
    RecordRefusal(call, call.rule->method, allowed);
    return allowed;
  }
  return CheckMessage(request);
}

bool CallGate::KnowsAtOnce(const grpc::ServerContextBase& context) {
  return absl::StartsWith(context.peer(), "unix:");
}

void CallGate::CountFailure(const std::string& peer) {
  parts_.attempts->AddFailure(peer);
  if (parts_.on_failure) parts_.on_failure();
}

absl::StatusOr<Principal> CallGate::Prove(const grpc::ServerContextBase& context,
                                          AdmittedCall* call) {
  if (KnowsAtOnce(context)) {
    // Only our user and root get this far: the socket's mode and the listener's SO_PEERCRED
    // (service/unix_listener.h).
    call->from = kUnix;
    return UnixPrincipal(geteuid());
  }
  call->from = PeerAddress(context.peer());
  if (absl::Status waits = parts_.attempts->Check(call->from); !waits.ok()) {
    return WithReason(std::move(waits), "TOO_MANY_FAILED_ATTEMPTS");
  }
  absl::StatusOr<std::optional<std::string>> token = PresentedToken(context);
  if (!token.ok()) {
    CountFailure(call->from);
    return token.status();
  }
  if (token->has_value()) {
    call->token = **token;
    return ProveByToken(call->from, call->token);
  }
  for (const std::string& name : CertificateNames(context)) {
    const auto known = parts_.certificates.find(name);
    if (known != parts_.certificates.end()) return known->second;
  }
  CountFailure(call->from);
  return WithReason(
      absl::UnauthenticatedError("the call has no token; send the metadata \"authorization: Bearer "
                                 "tm_ID_SECRET\" (`tidemark token create` makes one)"),
      "NO_TOKEN");
}

absl::StatusOr<Principal> CallGate::ProveByToken(const std::string& peer, absl::string_view token) {
  absl::StatusOr<Principal> principal = parts_.tokens->Verify(token);
  if (principal.ok() || !absl::IsUnauthenticated(principal.status())) return principal;
  CountFailure(peer);
  return WithReason(principal.status(), "BAD_TOKEN");
}

absl::Status CallGate::CheckScope(const google::protobuf::Message& request, AdmittedCall* call) {
  const MethodRule& rule = *call->rule;
  if (*rule.field != '\0') call->object = TextField(request, rule.field);
  switch (rule.scope) {
    case CallScope::kServer:
      return MayUse(call->principal, rule.role, "") ? absl::OkStatus() : OutOfScope(*call, "");
    case CallScope::kField:
      if (call->object.empty()) return BadField(rule.field, "name a connection");
      return MayUse(call->principal, rule.role, call->object) ? absl::OkStatus()
                                                              : OutOfScope(*call, call->object);
    case CallScope::kNone:
    case CallScope::kEach:
    case CallScope::kLater:
      break;
  }
  return absl::OkStatus();
}

absl::Status CallGate::Allow(AdmittedCall& call, absl::string_view connection) {
  if (call.object.empty()) call.object = std::string(connection);
  if (MayUse(call.principal, call.rule->role, connection)) return absl::OkStatus();
  absl::Status refused = OutOfScope(call, connection);
  RecordRefusal(call, call.rule->method, refused);
  return refused;
}

bool CallGate::Sees(const AdmittedCall& call, absl::string_view connection) {
  return MayUse(call.principal, call.rule->role, connection);
}

absl::Status CallGate::StillAdmitted(const AdmittedCall& call) {
  if (call.principal.proof != Principal::Proof::kToken) return absl::OkStatus();
  absl::StatusOr<Principal> principal = parts_.tokens->Verify(call.token);
  return principal.ok() ? absl::OkStatus() : WithReason(principal.status(), "BAD_TOKEN");
}

void CallGate::RecordRefusal(const AdmittedCall& call, absl::string_view method,
                             const absl::Status& refused) {
  AuditEvent event;
  event.who = call.principal.name;
  event.from = call.from;
  event.method = ShortMethod(method);
  event.object = call.object;
  event.result = absl::StatusCodeToString(refused.code());
  parts_.log->Write(LogLevel::kWarning, {},
                    HideTokens(absl::StrCat("refused ", event.method, " from ", event.from,
                                            event.who.empty() ? "" : " of ", event.who, ": ",
                                            refused.message())));
  if (absl::StatusOr<AuditHead> written = parts_.audit->Append(event); !written.ok()) {
    parts_.log->Write(LogLevel::kError, {},
                      absl::StrCat("the audit log was not written: ", written.status().message()));
  }
}

void CallGate::Record(const AdmittedCall& call, const absl::Status& outcome,
                      absl::string_view before_hash, absl::string_view after_hash) {
  AuditEvent event;
  event.who = call.principal.name;
  event.from = call.from;
  event.method = ShortMethod(call.rule->method);
  event.object = call.object;
  event.before_hash = std::string(before_hash);
  event.after_hash = std::string(after_hash);
  event.result = outcome.ok() ? "ok" : absl::StatusCodeToString(outcome.code());
  if (absl::StatusOr<AuditHead> written = parts_.audit->Append(event); !written.ok()) {
    parts_.log->Write(LogLevel::kError, {},
                      absl::StrCat("the audit log was not written: ", written.status().message()));
  }
}

}  // namespace tidemark
