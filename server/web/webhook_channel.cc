#include <curl/curl.h>
#include <netinet/in.h>
#include <sodium.h>
#include <sys/socket.h>

#include <cstddef>
#include <mutex>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "control/version.h"
#include "core/digest.h"
#include "web/address_range.h"
#include "web/alert_channels.h"

namespace tidemark {
namespace {

constexpr size_t kAnswerBytes = 64 * 1024;  // an answer beyond is cut: nobody reads it

struct Url {
  std::string scheme;
  std::string host;  // without brackets
  std::string port;  // empty: the scheme's
  bool has_login = false;
};

std::string Part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return "";
  std::string out(text);
  curl_free(text);
  return out;
}

absl::StatusOr<Url> ParseUrl(const std::string& text) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> url(curl_url(), curl_url_cleanup);
  if (url == nullptr || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return absl::InvalidArgumentError("is no URL; example: https://hooks.example.com/tidemark");
  }
  Url out;
  out.scheme = Part(url.get(), CURLUPART_SCHEME);
  out.host = Part(url.get(), CURLUPART_HOST);
  out.port = Part(url.get(), CURLUPART_PORT);
  out.has_login =
      !Part(url.get(), CURLUPART_USER).empty() || !Part(url.get(), CURLUPART_PASSWORD).empty();
  absl::string_view host = out.host;
  if (absl::ConsumePrefix(&host, "[") && absl::ConsumeSuffix(&host, "]")) {
    out.host = std::string(host);
  }
  return out;
}

// The address was written as one of this machine, which is consent to reach it.
bool NamesLoopback(const Url& url) {
  return url.host == "localhost" || RangeOf(url.host) == AddressRange::kLoopback;
}

bool IsLiteral(const std::string& host) {
  return host.find_first_not_of("0123456789.") == std::string::npos ||
         host.find(':') != std::string::npos;
}

bool Allowed(const WebhookSettings& settings, bool names_loopback, AddressRange range) {
  switch (range) {
    case AddressRange::kPublic:
      return true;
    case AddressRange::kPrivate:
      return settings.allow_private;
    case AddressRange::kLinkLocal:
      return settings.allow_link_local;
    case AddressRange::kLoopback:
      return settings.allow_loopback || names_loopback;
    case AddressRange::kReserved:
      return false;
  }
  return false;
}

// One request, as libcurl's callbacks see it. They must not throw.
struct Request {
  const WebhookSettings* settings = nullptr;
  bool names_loopback = false;
  bool plain = false;                            // http
  AddressRange refused = AddressRange::kPublic;  // of the last address that was refused
  size_t answered = 0;                           // bytes
};

curl_socket_t OpenSocket(void* context, curlsocktype, curl_sockaddr* address) {
  Request& request = *static_cast<Request*>(context);
  const AddressRange range = RangeOf(address->addr);
  if (!Allowed(*request.settings, request.names_loopback, range) ||
      (request.plain && range != AddressRange::kLoopback)) {
    request.refused = range;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

size_t DropAnswer(char*, size_t size, size_t count, void* context) {
  Request& request = *static_cast<Request*>(context);
  request.answered += size * count;
  return request.answered > kAnswerBytes ? 0 : size * count;
}

class WebhookChannel : public AlertChannel {
 public:
  WebhookChannel(WebhookSettings settings, Clock* clock)
      : settings_(std::move(settings)), shown_(ShownUrl(settings_.url)), clock_(*clock) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  }

  absl::Status Send(const AlertNotice& notice) override {
    if (absl::Status good = CheckWebhookUrl(settings_); !good.ok()) return good;
    const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
    if (curl == nullptr) return absl::UnavailableError("no memory for a request");
    const std::string body = NoticeJson(notice);
    const Headers headers = MakeHeaders(notice, body);
    Request request;
    request.settings = &settings_;
    const absl::StatusOr<Url> url = ParseUrl(settings_.url);
    request.names_loopback = NamesLoopback(*url);
    request.plain = url->scheme == "http";
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> resolve(Resolve(),
                                                                     curl_slist_free_all);
    Prepare(curl.get(), body, headers.get(), resolve.get(), &request);
    const CURLcode code = curl_easy_perform(curl.get());
    long status = 0;
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
    return Judge(code, status, request);
  }

 private:
  using Headers = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

  Headers MakeHeaders(const AlertNotice& notice, const std::string& body) const {
    curl_slist* list = curl_slist_append(nullptr, "Content-Type: application/json");
    list = curl_slist_append(list, "Expect:");
    list = curl_slist_append(list, absl::StrCat("Tidemark-Notice: ", notice.id).c_str());
    if (!settings_.secret.empty()) {
      const int64_t now = absl::ToUnixSeconds(clock_.Now());
      list = curl_slist_append(list, absl::StrCat("Tidemark-Signature: t=", now, ",v1=",
                                                  WebhookSignature(settings_.secret, now, body))
                                         .c_str());
    }
    return {list, curl_slist_free_all};
  }

  curl_slist* Resolve() const {
    curl_slist* list = nullptr;
    for (const std::string& line : settings_.resolve) list = curl_slist_append(list, line.c_str());
    return list;
  }

  void Prepare(CURL* curl, const std::string& body, curl_slist* headers, curl_slist* resolve,
               Request* request) const {
    const long timeout_ms = static_cast<long>(absl::ToInt64Milliseconds(settings_.timeout));
    curl_easy_setopt(curl, CURLOPT_URL, settings_.url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, request->plain ? "http" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    // A proxy of the environment would open the connection that OpenSocket is to judge.
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    if (!settings_.ca_file.empty()) {
      curl_easy_setopt(curl, CURLOPT_CAINFO, settings_.ca_file.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, OpenSocket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, request);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, DropAnswer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, resolve);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, EngineVersion().c_str());
  }

  absl::Status Judge(CURLcode code, long status, const Request& request) const {
    if (request.refused != AddressRange::kPublic && code != CURLE_OK) {
      return absl::PermissionDeniedError(
          absl::StrCat(shown_, " leads to a ", AddressRangeName(request.refused),
                       " address, which the webhook may not reach; name the range in its `allow`, "
                       "if it should"));
    }
    // An answer that was too long, or cut short, is one: the status line decides.
    const bool answered = code == CURLE_OK || (code == CURLE_WRITE_ERROR && status != 0);
    if (!answered) {
      const std::string text = absl::StrCat(shown_, ": ", curl_easy_strerror(code));
      return code == CURLE_OPERATION_TIMEDOUT ? absl::DeadlineExceededError(text)
                                              : absl::UnavailableError(text);
    }
    if (status >= 200 && status < 300) return absl::OkStatus();
    const std::string text = absl::StrCat(shown_, " answers ", status);
    if (status >= 300 && status < 400) {
      return absl::FailedPreconditionError(
          absl::StrCat(text, ", a redirect, which is not followed; write its target as the url"));
    }
    if (status == 408 || status == 425 || status == 429 || status >= 500) {
      return absl::UnavailableError(text);
    }
    return absl::FailedPreconditionError(text);
  }

  const WebhookSettings settings_;
  const std::string shown_;
  Clock& clock_;
};

}  // namespace

std::unique_ptr<AlertChannel> MakeWebhookChannel(WebhookSettings settings, Clock* clock) {
  return std::make_unique<WebhookChannel>(std::move(settings), clock);
}

std::string WebhookSignature(absl::string_view secret, int64_t unix_seconds,
                             absl::string_view body) {
  const std::string text = absl::StrCat(unix_seconds, ".", body);
  const auto* key = reinterpret_cast<const unsigned char*>(secret.data());
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::string out(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key, secret.size());
  crypto_auth_hmacsha256_update(&state, bytes, text.size());
  crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(out.data()));
  sodium_memzero(&state, sizeof(state));
  return Hex(out);
}

absl::Status CheckWebhookUrl(const WebhookSettings& settings) {
  const absl::StatusOr<Url> url = ParseUrl(settings.url);
  if (!url.ok()) return url.status();
  if (url->has_login) {
    return absl::InvalidArgumentError("has a login in it; use `secret`, which signs each notice");
  }
  const bool loopback = NamesLoopback(*url);
  if (url->scheme == "http" && !loopback) {
    return absl::InvalidArgumentError(
        "must be https; http is for 127.0.0.1, [::1] and localhost only");
  }
  if (url->scheme != "http" && url->scheme != "https") {
    return absl::InvalidArgumentError(absl::StrCat("must be https, not ", url->scheme));
  }
  if (!IsLiteral(url->host)) return absl::OkStatus();
  const AddressRange range = RangeOf(url->host);
  if (Allowed(settings, loopback, range)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "is a ", AddressRangeName(range), " address",
      range == AddressRange::kReserved ? ", which no webhook may reach"
                                       : absl::StrCat("; write `allow: [", AddressRangeName(range),
                                                      "]` if the webhook may reach it")));
}

std::string ShownUrl(const std::string& url) {
  const absl::StatusOr<Url> parsed = ParseUrl(url);
  if (!parsed.ok()) return "the webhook";
  const bool v6 = absl::StrContains(parsed->host, ":");
  return absl::StrCat(parsed->scheme, "://", v6 ? "[" : "", parsed->host, v6 ? "]" : "",
                      parsed->port.empty() ? "" : ":", parsed->port);
}

}  // namespace tidemark
