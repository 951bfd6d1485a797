// An http or https address.
#ifndef TIDEMARK_HTTP_URL_H_
#define TIDEMARK_HTTP_URL_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark::http {

// A value with a scheme, a host and always a path. Thread-compatible.
class Url {
 public:
  // INVALID_ARGUMENT for anything but http:// and https://, and for a user or password inside: an
  // address appears in logs and errors, credentials never do.
  static absl::StatusOr<Url> Parse(absl::string_view text);
  // As a browser follows a link that stands at this address; absolute, "/path", "?query", ..
  absl::StatusOr<Url> Resolve(absl::string_view reference) const;
  // This address with `path` put behind its own path: "http://h/v1" + "users" =
  // "http://h/v1/users".
  absl::StatusOr<Url> Append(absl::string_view path) const;

  // Adds a parameter, both parts percent-encoded here.
  void AddQuery(absl::string_view name, absl::string_view value);

  bool HasQuery(absl::string_view name) const;

  // The complete address. It may hold an API key: only for the request itself.
  std::string ToString() const;
  // For logs and errors: without fragment, and with the values of parameters left out whose names
  // speak of keys, tokens, passwords or signatures.
  std::string Shown() const;

  const std::string& host() const { return host_; }
  const std::string& path() const { return path_; }
  bool loopback() const;
  // The same scheme, host and port.
  bool SameOrigin(const Url& other) const;

 private:
  Url() = default;

  std::string scheme_;
  std::string host_;
  std::string port_;  // as text, also where it is the scheme's own
  std::string path_;
  std::string query_;  // encoded, without '?'
};

// Whether a parameter or header of this name holds a credential: key, token, password, signature,
// ..
bool SpeaksOfSecrets(absl::string_view name);
// Everything but letters, digits and -._~ as %XX.
std::string PercentEncode(absl::string_view text);

}  // namespace tidemark::http

#endif  // TIDEMARK_HTTP_URL_H_
