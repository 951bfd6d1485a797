// Requests over HTTP and HTTPS.
#ifndef TIDEMARK_HTTP_HTTP_CLIENT_H_
#define TIDEMARK_HTTP_HTTP_CLIENT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "http/url.h"

namespace tidemark::http {

struct HttpRequest {
  std::string method = "GET";
  Url url;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
};

struct HttpResponse {
  int status = 0;
  std::string content_type;                   // lower case, without parameters
  std::optional<absl::Duration> retry_after;  // what the source asks for
  std::string body;                           // decompressed
};

struct HttpClientOptions {
  absl::Duration connect_timeout = absl::Seconds(10);
  absl::Duration timeout = absl::Seconds(60);  // of a whole request
  int64_t max_response_bytes = 64 << 20;       // after decompression
  std::string ca_file = {};                    // instead of the system's certificates
  std::string user_agent = "tidemark";
};

// Keeps connections open between requests. Certificates are always verified. Redirects are followed
// within the same scheme, host and port only, so that credentials stay where they belong. Loopback
// addresses never go through a proxy, others by the usual environment variables.
// One request at a time; Interrupt() is thread-safe.
class HttpClient {
 public:
  static absl::StatusOr<std::unique_ptr<HttpClient>> Create(const HttpClientOptions& options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // A response of any status below or above 400, or
  //   DEADLINE_EXCEEDED    no complete answer within the timeouts
  //   UNAVAILABLE          no connection, or it broke
  //   FAILED_PRECONDITION  the certificate is not trusted; the answer is too large; a redirect to
  //                        another place, or too many of them
  //   CANCELLED            Interrupt() was called
  // Errors name method and Url::Shown().
  absl::StatusOr<HttpResponse> Send(const HttpRequest& request);

  // Ends the request under way, and every later one, with CANCELLED.
  void Interrupt();

 private:
  class Connection;
  explicit HttpClient(std::unique_ptr<Connection> connection);

  std::unique_ptr<Connection> connection_;
};

}  // namespace tidemark::http

#endif  // TIDEMARK_HTTP_HTTP_CLIENT_H_
