#include "http/http_client.h"

#include <curl/curl.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

namespace tidemark::http {
namespace {

constexpr int kMaxRedirects = 5;
constexpr int kPollMs = 1000;  // an upper bound; Interrupt() wakes the poll

// Where a response goes while it arrives.
struct Arrival {
  std::string body;
  int64_t limit = 0;
  bool too_large = false;
};

size_t OnBody(const char* bytes, size_t, size_t size, void* to) {
  auto* arrival = static_cast<Arrival*>(to);
  if (static_cast<int64_t>(arrival->body.size() + size) > arrival->limit) {
    arrival->too_large = true;
    return 0;
  }
  arrival->body.append(bytes, size);
  return size;
}

struct HeaderListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, HeaderListDeleter>;

HeaderList MakeHeaders(const HttpRequest& request) {
  HeaderList list;
  const auto add = [&list](const std::string& line) {
    list.reset(curl_slist_append(list.release(), line.c_str()));
  };
  for (const auto& [name, value] : request.headers) add(absl::StrCat(name, ": ", value));
  add("Expect:");  // No round trip for permission to send a small body.
  return list;
}

bool IsRedirect(int64_t status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

absl::Status TransportError(CURLcode code, const char* detail) {
  const std::string text = *detail != '\0' ? detail : curl_easy_strerror(code);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return absl::DeadlineExceededError(text);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return absl::FailedPreconditionError(absl::StrCat("its certificate is not trusted: ", text));
    default:
      return absl::UnavailableError(text);
  }
}

absl::Status Annotate(const HttpRequest& request, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(request.method, " ", request.url.Shown(), ": ",
                                                  status.message()));
}

}  // namespace

// The libcurl side. A multi handle with one transfer, because its poll can be woken up.
class HttpClient::Connection {
 public:
  explicit Connection(const HttpClientOptions& options)
      : options_(options), easy_(curl_easy_init()), multi_(curl_multi_init()) {}
  ~Connection() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
  }
  bool usable() const { return easy_ != nullptr && multi_ != nullptr; }

  // One exchange, no redirects. `location`: absolute, of a redirect.
  absl::StatusOr<HttpResponse> Exchange(const HttpRequest& request, std::string* location) {
    Arrival arrival{.body = {}, .limit = options_.max_response_bytes};
    char detail[CURL_ERROR_SIZE] = "";
    const std::string url = request.url.ToString();
    const HeaderList headers = MakeHeaders(request);
    Prepare(request, url, headers.get(), &arrival, detail);
    const absl::StatusOr<CURLcode> code = Perform();
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, nullptr);
    if (!code.ok()) return code.status();
    if (arrival.too_large) {
      return absl::FailedPreconditionError(
          absl::StrCat("the answer is larger than ", options_.max_response_bytes,
                       " bytes: ask for less at once or raise max_response_bytes"));
    }
    if (*code != CURLE_OK) return TransportError(*code, detail);
    return Describe(std::move(arrival.body), location);
  }

  void Interrupt() {
    interrupted_.store(true);
    curl_multi_wakeup(multi_);
  }

 private:
  void Prepare(const HttpRequest& request, const std::string& url, curl_slist* headers,
               Arrival* arrival, char* detail) {
    curl_easy_reset(easy_);  // Keeps connections and sessions.
    const auto set = [this](CURLoption option, auto value) {
      curl_easy_setopt(easy_, option, value);
    };
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
    if (request.url.loopback()) set(CURLOPT_PROXY, "");
    set(CURLOPT_ACCEPT_ENCODING, "");  // Everything libcurl can decompress.
    set(CURLOPT_USERAGENT, options_.user_agent.c_str());
    set(CURLOPT_CONNECTTIMEOUT_MS,
        static_cast<long>(absl::ToInt64Milliseconds(options_.connect_timeout)));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(options_.timeout)));
    set(CURLOPT_ERRORBUFFER, detail);
    set(CURLOPT_HTTPHEADER, headers);
    set(CURLOPT_WRITEFUNCTION, &OnBody);
    set(CURLOPT_WRITEDATA, static_cast<void*>(arrival));
    if (!request.body.empty() || request.method == "POST") {
      set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
      set(CURLOPT_POSTFIELDS, request.body.data());
    }
    if (request.method != "GET" || !request.body.empty()) {
      set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
  }

  // Runs the transfer to its end; CANCELLED when interrupted.
  absl::StatusOr<CURLcode> Perform() {
    if (interrupted_.load()) return absl::CancelledError("interrupted");
    curl_multi_add_handle(multi_, easy_);
    absl::StatusOr<CURLcode> result = CURLE_OK;
    for (int running = 1; running > 0;) {
      if (curl_multi_perform(multi_, &running) != CURLM_OK) {
        result = CURLE_FAILED_INIT;
        break;
      }
      if (running == 0) break;
      curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
      if (interrupted_.load()) {
        result = absl::CancelledError("interrupted");
        break;
      }
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg == CURLMSG_DONE && result.ok()) result = message->data.result;
    }
    curl_multi_remove_handle(multi_, easy_);
    return result;
  }

  HttpResponse Describe(std::string body, std::string* location) {
    HttpResponse response;
    response.body = std::move(body);
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    response.status = static_cast<int>(status);
    const char* type = nullptr;
    curl_easy_getinfo(easy_, CURLINFO_CONTENT_TYPE, &type);
    if (type != nullptr) {
      const std::pair<std::string, std::string> parts =
          absl::StrSplit(type, absl::MaxSplits(';', 1));
      response.content_type = absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts.first));
    }
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0) response.retry_after = absl::Seconds(seconds);
    const char* to = nullptr;
    curl_easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &to);
    *location = to == nullptr ? "" : to;
    return response;
  }

  const HttpClientOptions options_;
  CURL* const easy_;
  CURLM* const multi_;
  std::atomic<bool> interrupted_ = false;
};

HttpClient::HttpClient(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}
HttpClient::~HttpClient() = default;

absl::StatusOr<std::unique_ptr<HttpClient>> HttpClient::Create(const HttpClientOptions& options) {
  // Counted and thread-safe since libcurl 7.84; never undone, as a plugin is never unloaded.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto connection = std::make_unique<Connection>(options);
  if (started != CURLE_OK || !connection->usable()) {
    return absl::InternalError("libcurl does not start");
  }
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(connection)));
}

absl::StatusOr<HttpResponse> HttpClient::Send(const HttpRequest& request) {
  HttpRequest current = request;
  for (int redirects = 0;; ++redirects) {
    std::string location;
    absl::StatusOr<HttpResponse> response = connection_->Exchange(current, &location);
    if (!response.ok()) return Annotate(current, response.status());
    if (!IsRedirect(response->status) || location.empty()) return response;
    absl::StatusOr<Url> next = Url::Parse(location);
    if (!next.ok()) return Annotate(current, next.status());
    if (!next->SameOrigin(current.url)) {
      return Annotate(
          current, absl::FailedPreconditionError(absl::StrCat(
                       "it redirects to another place, which is not followed: ", next->Shown())));
    }
    const bool keeps_method = response->status == 307 || response->status == 308;
    if (current.method != "GET" && !keeps_method) {
      return Annotate(current, absl::FailedPreconditionError("it redirects a request that is "
                                                             "not a GET"));
    }
    if (redirects == kMaxRedirects) {
      return Annotate(current, absl::FailedPreconditionError("it redirects without an end"));
    }
    current.url = *std::move(next);
  }
}

void HttpClient::Interrupt() { connection_->Interrupt(); }

}  // namespace tidemark::http
