// BLAKE2b over length-prefixed parts (RFC 7693, by libsodium's crypto_generichash, without key).
#ifndef TIDEMARK_CORE_DIGEST_H_
#define TIDEMARK_CORE_DIGEST_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace tidemark {

// Each part is preceded by its length as 8 bytes little endian, so that ("ab","c") and ("a","bc")
// differ. Thread-compatible; reusable after Finish().
class Digest {
 public:
  // REQUIRES: 16 <= bytes <= 64.
  explicit Digest(size_t bytes);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void Add(absl::string_view part);
  // Bytes that continue without a length before them: the digest of a file read in pieces.
  void AddBytes(absl::string_view bytes);
  void AddInt(int64_t part);  // as 8 bytes little endian, length-prefixed like any part
  // The raw digest of `bytes` bytes; the object starts afresh.
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
  size_t bytes_;
};

// BLAKE2b-256 of the bytes alone, without a length prefix.
std::string Blake2b256(absl::string_view bytes);
// Lower-case hexadecimal.
std::string Hex(absl::string_view bytes);
// `bytes` random bytes of the operating system, as lower-case hexadecimal.
std::string RandomHex(size_t bytes);

}  // namespace tidemark

#endif  // TIDEMARK_CORE_DIGEST_H_
