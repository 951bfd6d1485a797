#include "core/digest.h"

#include <sodium.h>

#include <array>

#include "absl/strings/escaping.h"

namespace tidemark {

struct Digest::State {
  crypto_generichash_state hash;
};

namespace {

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::array<unsigned char, 8> LittleEndian(uint64_t value) {
  std::array<unsigned char, 8> bytes;
  for (unsigned char& byte : bytes) {
    byte = static_cast<unsigned char>(value & 0xff);
    value >>= 8;
  }
  return bytes;
}

}  // namespace

Digest::Digest(size_t bytes) : state_(std::make_unique<State>()), bytes_(bytes) {
  crypto_generichash_init(&state_->hash, nullptr, 0, bytes_);
}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::Add(absl::string_view part) {
  const auto length = LittleEndian(part.size());
  crypto_generichash_update(&state_->hash, length.data(), length.size());
  crypto_generichash_update(&state_->hash, Bytes(part), part.size());
}

void Digest::AddBytes(absl::string_view bytes) {
  crypto_generichash_update(&state_->hash, Bytes(bytes), bytes.size());
}

void Digest::AddInt(int64_t part) {
  const auto bytes = LittleEndian(static_cast<uint64_t>(part));
  Add(absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::string Digest::Finish() {
  std::string digest(bytes_, '\0');
  crypto_generichash_final(&state_->hash, reinterpret_cast<unsigned char*>(digest.data()), bytes_);
  crypto_generichash_init(&state_->hash, nullptr, 0, bytes_);
  return digest;
}

std::string Blake2b256(absl::string_view bytes) {
  std::string digest(32, '\0');
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(), Bytes(bytes),
                     bytes.size(), nullptr, 0);
  return digest;
}

std::string Hex(absl::string_view bytes) { return absl::BytesToHexString(bytes); }

std::string RandomHex(size_t bytes) {
  std::string random(bytes, '\0');
  randombytes_buf(random.data(), random.size());
  return Hex(random);
}

}  // namespace tidemark
