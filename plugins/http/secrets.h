// Keeps credentials out of every text.
#ifndef TIDEMARK_HTTP_SECRETS_H_
#define TIDEMARK_HTTP_SECRETS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tidemark::http {

// The credentials of a connection. What a source says back (an error text, a link) may repeat
// them, so everything that leaves the connector goes through here. Thread-compatible.
class Secrets {
 public:
  // Also hides the text's percent-encoded form.
  void Add(absl::string_view secret);

  // `text` with each secret as "***".
  std::string Redact(absl::string_view text) const;
  // The same of a status; code and payloads stay.
  absl::Status Redact(const absl::Status& status) const;

 private:
  std::vector<std::string> secrets_;  // longest first
};

}  // namespace tidemark::http

#endif  // TIDEMARK_HTTP_SECRETS_H_
