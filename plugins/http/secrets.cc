#include "http/secrets.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "http/url.h"

namespace tidemark::http {

void Secrets::Add(absl::string_view secret) {
  if (secret.empty()) return;
  for (std::string form : {std::string(secret), PercentEncode(secret)}) {
    if (std::find(secrets_.begin(), secrets_.end(), form) == secrets_.end()) {
      secrets_.push_back(std::move(form));
    }
  }
  // A secret that holds another one goes first.
  std::sort(secrets_.begin(), secrets_.end(),
            [](const std::string& a, const std::string& b) { return a.size() > b.size(); });
}

std::string Secrets::Redact(absl::string_view text) const {
  std::string out(text);
  for (const std::string& secret : secrets_) absl::StrReplaceAll({{secret, "***"}}, &out);
  return out;
}

absl::Status Secrets::Redact(const absl::Status& status) const {
  if (status.ok()) return status;
  absl::Status redacted(status.code(), Redact(status.message()));
  status.ForEachPayload([&redacted](absl::string_view type, const absl::Cord& payload) {
    redacted.SetPayload(type, payload);
  });
  return redacted;
}

}  // namespace tidemark::http
