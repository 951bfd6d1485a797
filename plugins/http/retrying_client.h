// Requests that are made again while a source is busy.
#ifndef TIDEMARK_HTTP_RETRYING_CLIENT_H_
#define TIDEMARK_HTTP_RETRYING_CLIENT_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "http/http_client.h"

namespace tidemark::http {

struct RetryOptions {
  int max_retries = 3;                                   // of one request
  absl::Duration first_delay = absl::Milliseconds(500);  // doubled each time
  absl::Duration max_delay = absl::Seconds(30);
  absl::Duration max_wait = absl::Seconds(60);  // a longer Retry-After is left to the caller
};

// Repeats what may work a moment later: 429, 408, 425, 5xx (but 501 and 505), timeouts and broken
// connections, with exponential backoff and jitter, or as Retry-After asks. Confined to one thread.
class RetryingClient {
 public:
  // Waits, or answers CANCELLED when it may not.
  using Sleep = std::function<absl::Status(absl::Duration)>;

  RetryingClient(HttpClient* client, const RetryOptions& options)
      : client_(client), options_(options) {}

  // A response that is not worth a retry, whatever its status; or an error of HttpClient::Send; or
  //   UNAVAILABLE         the last answer was 5xx, 408 or 425; FailedStatus() tells which
  //   RESOURCE_EXHAUSTED  the last answer was 429
  //   the error of `sleep`
  // each after max_retries (less where given), with the delay the source asked for attached, as
  // tidemark::WithRetryAfter does.
  absl::StatusOr<HttpResponse> Send(const HttpRequest& request, const Sleep& sleep,
                                    std::optional<int> max_retries = std::nullopt);
  // The same; an answer other than 2xx is an error, by AnswerStatus().
  absl::StatusOr<HttpResponse> Fetch(const HttpRequest& request, const Sleep& sleep);

  // Repeated requests so far, by cause: "HTTP 500", "timeout", "no connection".
  const std::map<std::string, uint64_t>& retries() const { return retries_; }
  // "7 requests were repeated (HTTP 429: 5, timeout: 2)", or empty without any.
  std::string DescribeRetries() const;

 private:
  absl::Duration Delay(int attempt);

  HttpClient* const client_;
  const RetryOptions options_;
  std::map<std::string, uint64_t> retries_;
  absl::BitGen random_;
};

// The HTTP status behind an error of Send(); 0 where there was no answer.
int FailedStatus(const absl::Status& status);

}  // namespace tidemark::http

#endif  // TIDEMARK_HTTP_RETRYING_CLIENT_H_
