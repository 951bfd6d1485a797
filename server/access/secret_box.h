// Authenticated encryption with XChaCha20-Poly1305 (libsodium,
// crypto_aead_xchacha20poly1305_ietf). Pure functions but for the random nonces; thread-safe.
//
//   box  = nonce ciphertext tag            ; 24 random bytes, those of the text, 16 bytes
//   what a box belongs to (additional data, authenticated, not stored in it):
//   associated = *( length part )          ; length: 8 bytes little endian
#ifndef TIDEMARK_ACCESS_SECRET_BOX_H_
#define TIDEMARK_ACCESS_SECRET_BOX_H_

#include <initializer_list>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "access/secret_key.h"

namespace tidemark {

// Different lists of parts give different texts.
std::string AssociatedParts(std::initializer_list<absl::string_view> parts);

std::string SealText(const SecretKey& key, absl::string_view associated, absl::string_view text);
// DATA_LOSS when the box is damaged, or was sealed with another key or for something else: there is
// no telling which. To be wiped by the caller.
absl::StatusOr<std::string> OpenText(const SecretKey& key, absl::string_view associated,
                                     absl::string_view box);

// The same of a key, which never leaves locked memory.
std::string SealKey(const SecretKey& key, absl::string_view associated, const SecretKey& inner);
absl::StatusOr<SecretKey> OpenKey(const SecretKey& key, absl::string_view associated,
                                  absl::string_view box);

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_SECRET_BOX_H_
