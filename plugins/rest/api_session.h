// Requests to an API with its credentials.
#ifndef TIDEMARK_REST_API_SESSION_H_
#define TIDEMARK_REST_API_SESSION_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "http/http_client.h"
#include "http/retrying_client.h"
#include "http/secrets.h"
#include "rest/rest_options.h"

namespace tidemark::rest {

// Logs in where the API wants that, again when the token has expired. Confined to one thread.
class ApiSession {
 public:
  // `options` and `client` must outlive this.
  ApiSession(const RestOptions& options, http::HttpClient* client);

  // A 2xx answer, or an error as http::RetryingClient and http::AnswerStatus say. What the API
  // says about a refused request stands in the error.
  absl::StatusOr<http::HttpResponse> Fetch(const http::HttpRequest& request,
                                           const http::RetryingClient::Sleep& sleep,
                                           std::optional<int> max_retries = std::nullopt);

  // See http::RetryingClient.
  std::string DescribeRetries() const { return client_.DescribeRetries(); }
  // The credentials, with those the API gave.
  const http::Secrets& secrets() const { return secrets_; }

 private:
  absl::Status LogIn(const http::RetryingClient::Sleep& sleep);
  void Authenticate(http::HttpRequest* request) const;

  const RestOptions& options_;
  http::RetryingClient client_;
  http::Secrets secrets_;
  std::optional<std::string> token_;  // of a session
};

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_API_SESSION_H_
