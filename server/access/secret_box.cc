#include "access/secret_box.h"

#include <sodium.h>

#include <cstddef>
#include <cstdint>

namespace tidemark {
namespace {

constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(SecretKey::kBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Seal(const SecretKey& key, absl::string_view associated, const unsigned char* plain,
                 size_t size) {
  std::string box(kNonceBytes + size + kTagBytes, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(box.data());
  // 192 random bits never come twice, so that no counter has to be kept.
  randombytes_buf(out, kNonceBytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + kNonceBytes, nullptr, plain, size,
                                             Bytes(associated), associated.size(), nullptr, out,
                                             key.bytes());
  return box;
}

// False: nothing was opened. `plain` has room for PlainSize(box) bytes.
bool Open(const SecretKey& key, absl::string_view associated, absl::string_view box,
          unsigned char* plain) {
  const absl::string_view sealed = box.substr(kNonceBytes);
  return crypto_aead_xchacha20poly1305_ietf_decrypt(
             plain, nullptr, nullptr, Bytes(sealed), sealed.size(), Bytes(associated),
             associated.size(), Bytes(box), key.bytes()) == 0;
}

bool HasPlain(absl::string_view box) { return box.size() >= kNonceBytes + kTagBytes; }
size_t PlainSize(absl::string_view box) { return box.size() - kNonceBytes - kTagBytes; }

absl::Status Damaged() {
  return absl::DataLossError(
      "the stored bytes do not match their key, their name or their version");
}

}  // namespace

std::string AssociatedParts(std::initializer_list<absl::string_view> parts) {
  std::string text;
  for (const absl::string_view part : parts) {
    uint64_t size = part.size();
    for (int i = 0; i < 8; ++i, size >>= 8) text.push_back(static_cast<char>(size & 0xff));
    text.append(part.data(), part.size());
  }
  return text;
}

std::string SealText(const SecretKey& key, absl::string_view associated, absl::string_view text) {
  return Seal(key, associated, Bytes(text), text.size());
}

absl::StatusOr<std::string> OpenText(const SecretKey& key, absl::string_view associated,
                                     absl::string_view box) {
  if (!HasPlain(box)) return Damaged();
  std::string text(PlainSize(box), '\0');
  if (!Open(key, associated, box, reinterpret_cast<unsigned char*>(text.data()))) return Damaged();
  return text;
}

std::string SealKey(const SecretKey& key, absl::string_view associated, const SecretKey& inner) {
  return Seal(key, associated, inner.bytes(), SecretKey::kBytes);
}

absl::StatusOr<SecretKey> OpenKey(const SecretKey& key, absl::string_view associated,
                                  absl::string_view box) {
  if (!HasPlain(box) || PlainSize(box) != SecretKey::kBytes) return Damaged();
  absl::StatusOr<SecretKey> inner = SecretKey::Empty();
  if (!inner.ok()) return inner;
  if (!Open(key, associated, box, inner->mutable_bytes())) return Damaged();
  return inner;
}

}  // namespace tidemark
