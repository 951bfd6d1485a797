// A key of 32 bytes in memory that is locked, kept out of core files and wiped when it goes.
#ifndef TIDEMARK_ACCESS_SECRET_KEY_H_
#define TIDEMARK_ACCESS_SECRET_KEY_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark {

// Overwrites text that held a key or a secret, then empties it.
void Wipe(std::string* text);

// Move-only; a key that was moved from holds none. Thread-compatible.
class SecretKey {
 public:
  static constexpr size_t kBytes = 32;

  // From the operating system's generator. RESOURCE_EXHAUSTED: no memory.
  static absl::StatusOr<SecretKey> Random();
  // 64 hexadecimal digits, blanks and line ends around them allowed. INVALID_ARGUMENT never repeats
  // the text.
  static absl::StatusOr<SecretKey> FromHex(absl::string_view text);
  // The same key in locked memory of its own. Errors as those of Empty().
  absl::StatusOr<SecretKey> Copy() const;
  // Zeroes, to be filled.
  static absl::StatusOr<SecretKey> Empty();

  ~SecretKey();
  SecretKey(SecretKey&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}
  SecretKey& operator=(SecretKey&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  const unsigned char* bytes() const { return bytes_; }
  unsigned char* mutable_bytes() { return bytes_; }
  // To be wiped by the caller.
  std::string Hex() const;
  // 16 hexadecimal digits that tell keys apart and nothing about them: half of BLAKE2b-128, keyed
  // with the key, of "tidemark key id".
  std::string Id() const;

 private:
  explicit SecretKey(unsigned char* bytes) : bytes_(bytes) {}

  unsigned char* bytes_;  // sodium_malloc; null: none
};

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_SECRET_KEY_H_
