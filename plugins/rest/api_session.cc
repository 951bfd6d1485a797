#include "rest/api_session.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "http/answer_status.h"
#include "rest/json_page.h"

namespace tidemark::rest {
namespace {

using AuthType = AuthOptions::Type;

constexpr size_t kHintBytes = 300;

std::string BasicCredentials(const AuthOptions& auth) {
  return absl::Base64Escape(absl::StrCat(auth.username, ":", auth.password));
}

// What an API says about a request that it refuses.
std::string Hint(const http::HttpResponse& response) {
  const JsonPage page(response.body);
  for (const char* pointer : {"/error", "/error/message", "/message", "/detail", "/title"}) {
    const auto text = page.Scalar(pointer);
    if (text.ok() && text->has_value()) {
      return absl::StrCat(": ", absl::string_view(**text).substr(0, kHintBytes));
    }
  }
  return "";
}

}  // namespace

ApiSession::ApiSession(const RestOptions& options, http::HttpClient* client)
    : options_(options), client_(client, options.retry), secrets_(options.secrets) {
  if (options.auth.type == AuthType::kBasic) secrets_.Add(BasicCredentials(options.auth));
}

void ApiSession::Authenticate(http::HttpRequest* request) const {
  const AuthOptions& auth = options_.auth;
  switch (auth.type) {
    case AuthType::kNone:
      break;
    case AuthType::kBearer:
      request->headers.emplace_back("Authorization", absl::StrCat("Bearer ", auth.token));
      break;
    case AuthType::kBasic:
      request->headers.emplace_back("Authorization",
                                    absl::StrCat("Basic ", BasicCredentials(auth)));
      break;
    case AuthType::kApiKey:
      if (!auth.in_query) {
        request->headers.emplace_back(auth.name, absl::StrCat(auth.prefix, auth.key));
      } else if (!request->url.HasQuery(auth.name)) {  // a link to the next page may repeat it
        request->url.AddQuery(auth.name, absl::StrCat(auth.prefix, auth.key));
      }
      break;
    case AuthType::kHeaders:
      for (const auto& header : auth.headers) request->headers.push_back(header);
      break;
    case AuthType::kSession:
      request->headers.emplace_back(auth.name, absl::StrCat(auth.prefix, token_.value_or("")));
      break;
  }
}

absl::Status ApiSession::LogIn(const http::RetryingClient::Sleep& sleep) {
  absl::StatusOr<http::HttpRequest> request = options_.auth.login->Build({});
  if (!request.ok()) return request.status();
  absl::StatusOr<http::HttpResponse> response = client_.Send(*request, sleep);
  if (!response.ok()) return response.status();
  if (absl::Status s = http::AnswerStatus(*request, *response); !s.ok()) return s;
  const JsonPage page(std::move(response->body));
  auto token = page.Scalar(options_.auth.token_pointer);
  if (!token.ok() || !token->has_value()) {
    return absl::FailedPreconditionError(
        absl::StrCat("the answer to the login has no token at ", options_.auth.token_pointer));
  }
  token_ = **token;
  secrets_.Add(*token_);
  return absl::OkStatus();
}

absl::StatusOr<http::HttpResponse> ApiSession::Fetch(const http::HttpRequest& request,
                                                     const http::RetryingClient::Sleep& sleep,
                                                     std::optional<int> max_retries) {
  const bool session = options_.auth.type == AuthType::kSession;
  for (bool fresh = false;; fresh = true) {
    if (session && !token_) {
      fresh = true;
      if (absl::Status s = LogIn(sleep); !s.ok()) return s;
    }
    http::HttpRequest complete = request;
    Authenticate(&complete);
    absl::StatusOr<http::HttpResponse> response = client_.Send(complete, sleep, max_retries);
    if (!response.ok()) return response.status();
    if (session && !fresh && response->status == 401) {
      token_.reset();  // It has expired, or the API forgot it.
      continue;
    }
    absl::Status status = http::AnswerStatus(request, *response);
    if (status.ok()) return response;
    if (response->status == 401 || response->status == 403) return status;
    return absl::Status(status.code(), absl::StrCat(status.message(), Hint(*response)));
  }
}

}  // namespace tidemark::rest
