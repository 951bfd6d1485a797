#include "state/server_url.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace tidemark {
namespace {

absl::Status Wrong(absl::string_view what) { return absl::InvalidArgumentError(what); }

std::optional<std::string> PercentDecoded(absl::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    uint32_t byte = 0;
    if (i + 2 >= text.size() || !absl::SimpleHexAtoi(text.substr(i + 1, 2), &byte)) {
      return std::nullopt;
    }
    out.push_back(static_cast<char>(byte));
    i += 2;
  }
  return out;
}

bool Decode(absl::string_view text, std::string* out) {
  std::optional<std::string> decoded = PercentDecoded(text);
  if (!decoded.has_value()) return false;
  *out = *std::move(decoded);
  return true;
}

absl::Status ReadAuthority(absl::string_view authority, ServerUrl* url) {
  if (const size_t at = authority.find('@'); at != absl::string_view::npos) {
    const std::pair<absl::string_view, absl::string_view> credentials =
        absl::StrSplit(authority.substr(0, at), absl::MaxSplits(':', 1));
    if (!Decode(credentials.first, &url->user) || !Decode(credentials.second, &url->password)) {
      return Wrong("the user or password has a % that no two hexadecimal digits follow (% is %25)");
    }
    authority.remove_prefix(at + 1);
  }
  absl::string_view host = authority;
  absl::string_view port;
  const size_t bracket = authority.find(']');
  const size_t colon = authority.find(':', bracket == absl::string_view::npos ? 0 : bracket);
  if (colon != absl::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
  }
  if (!host.empty() && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  if (!Decode(host, &url->host)) return Wrong("the host is malformed");
  if (colon == absl::string_view::npos) return absl::OkStatus();
  if (!absl::SimpleAtoi(port, &url->port) || url->port < 1 || url->port > 65535) {
    return Wrong("the port is no number of 1 to 65535");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckCredentials(absl::string_view url) {
  const size_t begin = url.find("://");
  if (begin == absl::string_view::npos) return absl::OkStatus();
  const absl::string_view rest = url.substr(begin + 3);
  const size_t at = rest.find('@');
  if (at == absl::string_view::npos) return absl::OkStatus();
  const absl::string_view before = rest.substr(0, at);
  const absl::string_view after = rest.substr(at + 1);
  if (before.find_first_of("/?#") == absl::string_view::npos &&
      after.find('@') == absl::string_view::npos) {
    return absl::OkStatus();
  }
  return Wrong(
      "a name, password or option holds one of @ / ? # as it is: write it percent-encoded (%40 %2F "
      "%3F %23)");
}

absl::StatusOr<ServerUrl> ParseServerUrl(absl::string_view text) {
  if (absl::Status s = CheckCredentials(text); !s.ok()) return s;
  const size_t end = text.find("://");
  if (end == absl::string_view::npos || end == 0) return Wrong("expected SCHEME://HOST");
  ServerUrl url;
  url.scheme = absl::AsciiStrToLower(text.substr(0, end));
  absl::string_view rest = text.substr(end + 3);
  absl::string_view query;
  if (const size_t mark = rest.find('?'); mark != absl::string_view::npos) {
    query = rest.substr(mark + 1);
    rest = rest.substr(0, mark);
  }
  const size_t slash = rest.find('/');
  if (absl::Status s = ReadAuthority(rest.substr(0, slash), &url); !s.ok()) return s;
  if (slash != absl::string_view::npos && !Decode(rest.substr(slash + 1), &url.path)) {
    return Wrong("the path has a % that no two hexadecimal digits follow (% is %25)");
  }
  for (absl::string_view pair : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    std::string name;
    std::string value;
    if (!Decode(parts.first, &name) || !Decode(parts.second, &value)) {
      return Wrong("an option has a % that no two hexadecimal digits follow (% is %25)");
    }
    url.query[name] = value;
  }
  return url;
}

}  // namespace tidemark
