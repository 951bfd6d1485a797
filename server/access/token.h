// A token as text: tm_<id>_<secret>, both base62 and of fixed length. The id is public (logs,
// audit, revocation), the secret is shown once and stored as a digest only. Pure functions;
// thread-safe.
//
//   token  = "tm_" id "_" secret
//   id     = 12 * base62                   ; 71 bits
//   secret = 43 * base62                   ; 256 bits, so that no slow hash is needed
//   base62 = "0".."9" / "A".."Z" / "a".."z"
#ifndef TIDEMARK_ACCESS_TOKEN_H_
#define TIDEMARK_ACCESS_TOKEN_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark {

inline constexpr size_t kTokenIdLength = 12;
inline constexpr size_t kTokenSecretLength = 43;

struct TokenParts {
  std::string id;
  std::string secret;

  std::string Text() const;
};

// Fresh, from the operating system's generator.
TokenParts NewToken();
// Nothing when `text` has another form.
std::optional<TokenParts> ParseToken(absl::string_view text);

// BLAKE2b-256 of the secret: 32 raw bytes.
std::string TokenSecretHash(absl::string_view secret);
// In constant time for texts of one length; texts of different lengths differ.
bool SecretsEqual(absl::string_view a, absl::string_view b);

// `text` with the secret of every token in it replaced by "***": for whatever is logged or stored.
std::string HideTokens(absl::string_view text);

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_TOKEN_H_
