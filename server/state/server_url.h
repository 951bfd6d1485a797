// Addresses of servers with credentials in them: taken apart without ever repeating the credentials
// in an error.
#ifndef TIDEMARK_STATE_SERVER_URL_H_
#define TIDEMARK_STATE_SERVER_URL_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark {

// SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/PATH][?NAME=VALUE[&..]], percent-decoded (RFC 3986).
struct ServerUrl {
  std::string scheme;  // lower case
  std::string user;
  std::string password;
  std::string host;  // without the brackets of an IPv6 address
  int port = 0;      // 0: not given
  std::string path;  // without its first slash
  std::map<std::string, std::string> query;
};

// INVALID_ARGUMENT says what is wrong and never repeats a part of the text.
absl::StatusOr<ServerUrl> ParseServerUrl(absl::string_view text);

// A password with "@", "/", "?" or "#" in it, not percent-encoded, would be taken for a host and
// stand in messages: INVALID_ARGUMENT.
absl::Status CheckCredentials(absl::string_view url);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_SERVER_URL_H_
