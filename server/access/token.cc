#include "access/token.h"

#include <sodium.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/digest.h"

namespace tidemark {
namespace {

constexpr absl::string_view kPrefix = "tm_";
constexpr size_t kTokenLength = 3 + kTokenIdLength + 1 + kTokenSecretLength;

std::string RandomBase62(size_t length) {
  static constexpr char kDigits[] =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string text(length, '\0');
  for (char& c : text) c = kDigits[randombytes_uniform(62)];
  return text;
}

bool IsBase62(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); });
}

}  // namespace

std::string TokenParts::Text() const { return absl::StrCat(kPrefix, id, "_", secret); }

TokenParts NewToken() {
  TokenParts parts;
  parts.id = RandomBase62(kTokenIdLength);
  parts.secret = RandomBase62(kTokenSecretLength);
  return parts;
}

std::optional<TokenParts> ParseToken(absl::string_view text) {
  if (text.size() != kTokenLength || text.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  const absl::string_view id = text.substr(kPrefix.size(), kTokenIdLength);
  const absl::string_view secret = text.substr(text.size() - kTokenSecretLength);
  if (text[kPrefix.size() + kTokenIdLength] != '_' || !IsBase62(id) || !IsBase62(secret)) {
    return std::nullopt;
  }
  return TokenParts{std::string(id), std::string(secret)};
}

std::string TokenSecretHash(absl::string_view secret) { return Blake2b256(secret); }

bool SecretsEqual(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string HideTokens(absl::string_view text) {
  std::string shown;
  size_t from = 0;
  while (true) {
    const size_t found = text.find(kPrefix, from);
    if (found == absl::string_view::npos) break;
    const size_t id_end = found + kPrefix.size() + kTokenIdLength;
    if (id_end >= text.size() || text[id_end] != '_' ||
        !IsBase62(text.substr(found + kPrefix.size(), kTokenIdLength))) {
      shown.append(text.data() + from, found + kPrefix.size() - from);
      from = found + kPrefix.size();
      continue;
    }
    // Also of a token that was cut off, or that something was appended to.
    size_t end = id_end + 1;
    while (end < text.size() && absl::ascii_isalnum(static_cast<unsigned char>(text[end]))) ++end;
    absl::StrAppend(&shown, text.substr(from, id_end + 1 - from), "***");
    from = end;
  }
  absl::StrAppend(&shown, text.substr(from));
  return shown;
}

}  // namespace tidemark
