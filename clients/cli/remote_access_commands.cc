// `tidemark --server ... token`, `secret` and `audit`.
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "core/duration_text.h"
#include "core/time_text.h"
#include "remote_commands.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;
using Stub = v1::Control::Stub;

// "30 days" from now, or a time.
absl::StatusOr<absl::Time> Expiry(const std::string& text) {
  if (absl::StatusOr<CalendarDuration> span = ParseCalendarDuration(text); span.ok()) {
    return span->After(absl::Now());
  }
  absl::StatusOr<ParsedTime> time = ParseTime(text);
  if (time.ok()) return absl::FromUnixMicros(time->us);
  return AsUsage(absl::InvalidArgumentError(
      absl::StrCat("--expires ", text, ": neither a duration (\"30 days\") nor a time")));
}

ExitCode CreateToken(RemoteCommand& call) {
  v1::CreateTokenRequest request;
  request.set_role(call.Text("--role"));
  for (const std::string& glob : call.Texts("--connection")) request.add_connections(glob);
  request.set_note(call.Text("--note"));
  if (const std::string text = call.Text("--expires"); !text.empty()) {
    absl::StatusOr<absl::Time> expires = Expiry(text);
    if (!expires.ok()) return call.session.Fail(expires.status());
    request.mutable_expires_at()->set_seconds(absl::ToUnixSeconds(*expires));
  }
  v1::CreateTokenResponse response;
  if (absl::Status status = call.server.Call(&Stub::CreateToken, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  if (call.session.json()) {
    call.session.PrintJson(MessageJson(response));
  } else {
    call.session.Print(response.text() + "\n");
    if (!call.session.quiet()) {
      std::cerr << "It is not shown again; the server keeps a digest of it only.\n";
    }
  }
  return ExitCode::kDone;
}

ExitCode ListTokens(RemoteCommand& call) {
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  v1::ListTokensRequest request;
  request.set_page_size(kRemotePage);
  do {
    v1::ListTokensResponse response;
    if (absl::Status status = call.server.Call(&Stub::ListTokens, request, &response);
        !status.ok()) {
      return call.session.Fail(status);
    }
    for (const v1::Token& token : response.tokens()) {
      json.push_back(MessageJson(token));
      rows.push_back(
          {token.id(), token.role(),
           token.connections().empty() ? "all" : absl::StrJoin(token.connections(), ", "),
           TimeCell(token.has_expires_at(), token.expires_at()),
           TimeCell(token.has_revoked_at(), token.revoked_at()),
           TimeCell(token.has_last_used_at(), token.last_used_at()), token.note()});
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  call.session.json()
      ? call.session.PrintJson(json)
      : call.session.Print(TextTable(
            {"id", "role", "connections", "expires", "revoked", "last used", "note"}, rows));
  return ExitCode::kDone;
}

ExitCode RevokeToken(RemoteCommand& call) {
  v1::RevokeTokenRequest request;
  request.set_id(call.Text("ID"));
  v1::Token token;
  if (absl::Status status = call.server.Call(&Stub::RevokeToken, request, &token); !status.ok()) {
    return call.session.Fail(status);
  }
  call.session.Note(absl::StrCat("Token ", token.id(), " is revoked."));
  if (call.session.json()) call.session.PrintJson(MessageJson(token));
  return ExitCode::kDone;
}

ExitCode SetSecret(RemoteCommand& call) {
  std::string value((std::istreambuf_iterator<char>(std::cin)), std::istreambuf_iterator<char>());
  if (absl::EndsWith(value, "\n")) value.pop_back();  // of an editor or echo
  if (value.empty()) {
    return call.session.Fail(AsUsage(absl::InvalidArgumentError(
        "write the value to standard input: tidemark --server ADDR secret set NAME < FILE")));
  }
  call.session.redactor().AddSecret(value);
  v1::SetSecretRequest request;
  request.set_name(call.Text("NAME"));
  request.set_value(value);
  v1::Secret secret;
  if (absl::Status status = call.server.Call(&Stub::SetSecret, request, &secret); !status.ok()) {
    return call.session.Fail(status);
  }
  call.session.Note(absl::StrCat("Secret ", secret.name(), " is now version ", secret.version(),
                                 "; connection files refer to it by ${secret:", secret.name(),
                                 "}."));
  if (call.session.json()) call.session.PrintJson(MessageJson(secret));
  return ExitCode::kDone;
}

ExitCode ListSecrets(RemoteCommand& call) {
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  v1::ListSecretsRequest request;
  request.set_page_size(kRemotePage);
  do {
    v1::ListSecretsResponse response;
    if (absl::Status status = call.server.Call(&Stub::ListSecrets, request, &response);
        !status.ok()) {
      return call.session.Fail(status);
    }
    for (const v1::Secret& secret : response.secrets()) {
      json.push_back(MessageJson(secret));
      rows.push_back({secret.name(), absl::StrCat(secret.version()),
                      TimeCell(secret.has_changed_at(), secret.changed_at())});
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  call.session.json() ? call.session.PrintJson(json)
                      : call.session.Print(TextTable({"name", "version", "changed"}, rows));
  return ExitCode::kDone;
}

ExitCode DeleteSecret(RemoteCommand& call) {
  v1::DeleteSecretRequest request;
  request.set_name(call.Text("NAME"));
  v1::DeleteSecretResponse response;
  if (absl::Status status = call.server.Call(&Stub::DeleteSecret, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  call.session.Note(absl::StrCat("Secret ", request.name(), " was deleted."));
  if (call.session.json()) call.session.PrintJson({{"deleted", request.name()}});
  return ExitCode::kDone;
}

ExitCode RotateMasterKey(RemoteCommand& call) {
  v1::RotateMasterKeyResponse response;
  if (absl::Status status =
          call.server.Call(&Stub::RotateMasterKey, v1::RotateMasterKeyRequest(), &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  call.session.Note(absl::StrCat(response.secrets(), " secrets are sealed with master key ",
                                 response.new_key_id(), "; ", response.old_key_id(),
                                 " opens none of them any more."));
  if (!response.to_do().empty()) std::cerr << "To do: " << response.to_do() << ".\n";
  if (call.session.json()) call.session.PrintJson(MessageJson(response));
  return ExitCode::kDone;
}

ExitCode ListAudit(RemoteCommand& call) {
  const auto limit = static_cast<size_t>(call.Number("--limit", 50));
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  v1::ListAuditRequest request;
  request.set_page_size(static_cast<uint32_t>(std::min<size_t>(limit, kRemotePage)));
  do {
    v1::ListAuditResponse response;
    if (absl::Status status = call.server.Call(&Stub::ListAudit, request, &response);
        !status.ok()) {
      return call.session.Fail(status);
    }
    for (const v1::AuditEntry& entry : response.entries()) {
      if (rows.size() == limit) break;
      json.push_back(MessageJson(entry));
      rows.push_back({absl::StrCat(entry.sequence()), TimeCell(true, entry.at()), entry.who(),
                      entry.from(), entry.method(), entry.object(), entry.result()});
    }
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty() && rows.size() < limit);
  call.session.json() ? call.session.PrintJson(json)
                      : call.session.Print(TextTable(
                            {"entry", "time", "who", "from", "method", "object", "result"}, rows));
  return ExitCode::kDone;
}

ExitCode VerifyAudit(RemoteCommand& call) {
  v1::VerifyAuditResponse response;
  if (absl::Status status =
          call.server.Call(&Stub::VerifyAudit, v1::VerifyAuditRequest(), &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  if (call.session.json()) call.session.PrintJson(MessageJson(response));
  if (!response.ok()) {
    return call.session.Fail(AsLocal(
        absl::DataLossError(absl::StrCat("the audit log is not whole: ", response.problem()))));
  }
  call.session.Note(
      absl::StrCat(response.entries(), " entries verify; the newest is ", response.head()));
  for (const int64_t sequence : response.accepted()) {
    call.session.Note(absl::StrCat("entry ", sequence, " tells of a loss that was accepted"));
  }
  return ExitCode::kDone;
}

ExitCode AcceptAudit(RemoteCommand& call) {
  v1::AcceptAuditRequest request;
  request.set_reason(call.Text("--reason"));
  v1::AcceptAuditResponse response;
  if (absl::Status status = call.server.Call(&Stub::AcceptAudit, request, &response);
      !status.ok()) {
    return call.session.Fail(status);
  }
  call.session.Note(absl::StrCat("Entry ", response.entry().sequence(), " says what was missing (",
                                 response.entry().object(), "); the newest is ", response.head()));
  if (call.session.json()) call.session.PrintJson(MessageJson(response));
  return ExitCode::kDone;
}

}  // namespace

void AddRemoteAccessActions(RemoteActions* actions) {
  actions->insert({{"token create", CreateToken},
                   {"token list", ListTokens},
                   {"token revoke", RevokeToken},
                   {"secret set", SetSecret},
                   {"secret list", ListSecrets},
                   {"secret delete", DeleteSecret},
                   {"secret rotate", RotateMasterKey},
                   {"audit list", ListAudit},
                   {"audit verify", VerifyAudit},
                   {"audit accept", AcceptAudit}});
}

}  // namespace tidemark
