#include "control/redaction.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/digest.h"
#include "core/text.h"

namespace tidemark {
namespace {

constexpr size_t kShortest = 4;  // bytes

std::string PercentEncoded(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '_' || c == '.' || c == '~') {
      out.push_back(c);
    } else {
      absl::StrAppend(&out, "%", absl::AsciiStrToUpper(Hex(absl::string_view(&c, 1))));
    }
  }
  return out;
}

// "scheme://user:password@host" -> "scheme://user:***@host".
std::string WithoutUrlPasswords(std::string text) {
  size_t from = 0;
  while (true) {
    const size_t slashes = text.find("://", from);
    if (slashes == std::string::npos) return text;
    const size_t begin = slashes + 3;
    const size_t end = text.find_first_of("/?# \"'\n", begin);
    const size_t at = text.substr(0, end).rfind('@');
    const size_t colon = text.find(':', begin);
    if (at != std::string::npos && at > begin && colon != std::string::npos && colon < at) {
      text.replace(colon + 1, at - colon - 1, "***");
    }
    from = begin;
  }
}

}  // namespace

void Redactor::AddSecret(absl::string_view secret) {
  if (secret.size() < kShortest) return;
  std::string quoted;
  AppendJsonString(secret, &quoted);
  MutexLock lock(mutex_);
  for (std::string spelling : {std::string(secret), PercentEncoded(secret),
                               quoted.substr(1, quoted.size() - 2), absl::Base64Escape(secret)}) {
    if (std::find(secrets_.begin(), secrets_.end(), spelling) == secrets_.end()) {
      secrets_.push_back(std::move(spelling));
    }
  }
  std::sort(secrets_.begin(), secrets_.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
}

std::string Redactor::Apply(absl::string_view text) const {
  std::string out(text);
  {
    MutexLock lock(mutex_);
    for (const std::string& secret : secrets_) {
      absl::StrReplaceAll({{secret, "***"}}, &out);
    }
  }
  return WithoutUrlPasswords(std::move(out));
}

}  // namespace tidemark
