#include "http/url.h"

#include <curl/curl.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace tidemark::http {
namespace {

struct CurlUrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using CurlUrl = std::unique_ptr<CURLU, CurlUrlDeleter>;

std::string Part(const CurlUrl& url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, flags) != CURLUE_OK) return "";
  std::string copy(text);
  curl_free(text);
  return copy;
}

// Without the text itself where it may hold a password.
absl::Status NotAnAddress(absl::string_view text, absl::string_view why) {
  if (absl::StrContains(text, '@')) {
    return absl::InvalidArgumentError(absl::StrCat("an address is not usable: ", why));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text.substr(0, 200), "\" is not usable as an address: ", why));
}

}  // namespace

bool SpeaksOfSecrets(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  for (const absl::string_view word : {"key", "token", "secret", "passw", "pwd", "signature",
                                       "auth", "credential", "session", "cookie"}) {
    if (absl::StrContains(lower, word)) return true;
  }
  return lower == "sig";
}

std::string PercentEncode(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-._~", c)) {
      out.push_back(c);
    } else {
      absl::StrAppend(&out, "%",
                      absl::AsciiStrToUpper(
                          absl::StrCat(absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2))));
    }
  }
  return out;
}

absl::StatusOr<Url> Url::Parse(absl::string_view text) {
  const CurlUrl parsed(curl_url());
  const std::string copy(text);
  const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, copy.c_str(), 0);
  if (code != CURLUE_OK) return NotAnAddress(text, curl_url_strerror(code));
  Url url;
  url.scheme_ = absl::AsciiStrToLower(Part(parsed, CURLUPART_SCHEME));
  if (url.scheme_ != "http" && url.scheme_ != "https") {
    return NotAnAddress(text, "it has to begin with http:// or https://");
  }
  if (!Part(parsed, CURLUPART_USER).empty() || !Part(parsed, CURLUPART_PASSWORD).empty()) {
    return NotAnAddress(text, "it holds a user or a password; use the option auth");
  }
  url.host_ = absl::AsciiStrToLower(Part(parsed, CURLUPART_HOST));
  url.port_ = Part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  url.path_ = Part(parsed, CURLUPART_PATH);
  url.query_ = Part(parsed, CURLUPART_QUERY);
  return url;
}

absl::StatusOr<Url> Url::Resolve(absl::string_view reference) const {
  const CurlUrl resolved(curl_url());
  const std::string base = ToString();
  const std::string relative(reference);
  CURLUcode code = curl_url_set(resolved.get(), CURLUPART_URL, base.c_str(), 0);
  if (code == CURLUE_OK) {
    code = curl_url_set(resolved.get(), CURLUPART_URL, relative.c_str(), 0);
  }
  if (code != CURLUE_OK) return NotAnAddress(reference, curl_url_strerror(code));
  return Parse(Part(resolved, CURLUPART_URL));
}

absl::StatusOr<Url> Url::Append(absl::string_view path) const {
  if (path.empty()) return *this;
  if (absl::StartsWith(path, "http://") || absl::StartsWith(path, "https://")) return Parse(path);
  Url url = *this;
  const std::vector<absl::string_view> parts = absl::StrSplit(path, absl::MaxSplits('?', 1));
  if (!parts[0].empty()) {
    if (!absl::EndsWith(url.path_, "/")) url.path_ += '/';
    absl::StrAppend(&url.path_, absl::StripPrefix(parts[0], "/"));
  }
  if (parts.size() == 2) url.query_ = std::string(parts[1]);
  return Parse(url.ToString());
}

void Url::AddQuery(absl::string_view name, absl::string_view value) {
  absl::StrAppend(&query_, query_.empty() ? "" : "&", PercentEncode(name), "=",
                  PercentEncode(value));
}

bool Url::HasQuery(absl::string_view name) const {
  const std::string begin = absl::StrCat(PercentEncode(name), "=");
  for (const absl::string_view pair : absl::StrSplit(query_, '&', absl::SkipEmpty())) {
    if (absl::StartsWith(pair, begin)) return true;
  }
  return false;
}

std::string Url::ToString() const {
  return absl::StrCat(scheme_, "://", host_, ":", port_, path_, query_.empty() ? "" : "?", query_);
}

std::string Url::Shown() const {
  std::vector<std::string> pairs;
  for (const absl::string_view pair : absl::StrSplit(query_, '&', absl::SkipEmpty())) {
    const std::vector<absl::string_view> parts = absl::StrSplit(pair, absl::MaxSplits('=', 1));
    const bool hidden = parts.size() == 2 && SpeaksOfSecrets(parts[0]);
    pairs.push_back(hidden ? absl::StrCat(parts[0], "=***") : std::string(pair));
  }
  const bool own_port =
      (scheme_ == "http" && port_ == "80") || (scheme_ == "https" && port_ == "443");
  return absl::StrCat(scheme_, "://", host_, own_port ? "" : absl::StrCat(":", port_), path_,
                      pairs.empty() ? "" : "?", absl::StrJoin(pairs, "&"));
}

bool Url::loopback() const {
  return host_ == "localhost" || host_ == "[::1]" || absl::StartsWith(host_, "127.");
}

bool Url::SameOrigin(const Url& other) const {
  return scheme_ == other.scheme_ && host_ == other.host_ && port_ == other.port_;
}

}  // namespace tidemark::http
