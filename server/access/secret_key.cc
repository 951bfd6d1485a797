#include "access/secret_key.h"

#include <sodium.h>

#include <cstring>

#include "absl/strings/ascii.h"
#include "core/digest.h"

namespace tidemark {

void Wipe(std::string* text) {
  sodium_memzero(text->data(), text->size());
  text->clear();
}

absl::StatusOr<SecretKey> SecretKey::Empty() {
  // Also makes the generator of random bytes ready; every further call does nothing.
  if (sodium_init() < 0) return absl::InternalError("libsodium cannot be initialised");
  // sodium_malloc locks the pages where the limit allows, and keeps them out of core files.
  auto* const bytes = static_cast<unsigned char*>(sodium_malloc(kBytes));
  if (bytes == nullptr) return absl::ResourceExhaustedError("no memory for a key");
  sodium_memzero(bytes, kBytes);
  return SecretKey(bytes);
}

absl::StatusOr<SecretKey> SecretKey::Random() {
  absl::StatusOr<SecretKey> key = Empty();
  if (key.ok()) randombytes_buf(key->bytes_, kBytes);
  return key;
}

absl::StatusOr<SecretKey> SecretKey::FromHex(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  absl::StatusOr<SecretKey> key = Empty();
  if (!key.ok()) return key;
  size_t size = 0;
  if (text.size() != 2 * kBytes ||
      sodium_hex2bin(key->bytes_, kBytes, text.data(), text.size(), nullptr, &size, nullptr) != 0 ||
      size != kBytes) {
    return absl::InvalidArgumentError(
        "a master key is 64 hexadecimal digits; make one with `openssl rand -hex 32`");
  }
  return key;
}

absl::StatusOr<SecretKey> SecretKey::Copy() const {
  absl::StatusOr<SecretKey> key = Empty();
  if (key.ok()) std::memcpy(key->bytes_, bytes_, kBytes);
  return key;
}

SecretKey::~SecretKey() {
  sodium_free(bytes_);  // wipes; null is allowed
}

std::string SecretKey::Hex() const {
  std::string text(2 * kBytes + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), bytes_, kBytes);
  text.pop_back();  // the zero that sodium_bin2hex ends with
  return text;
}

std::string SecretKey::Id() const {
  static constexpr absl::string_view kWhat = "tidemark key id";
  std::string id(16, '\0');  // the least that BLAKE2b of libsodium gives
  crypto_generichash(reinterpret_cast<unsigned char*>(id.data()), id.size(),
                     reinterpret_cast<const unsigned char*>(kWhat.data()), kWhat.size(), bytes_,
                     kBytes);
  return tidemark::Hex(absl::string_view(id).substr(0, 8));
}

}  // namespace tidemark
