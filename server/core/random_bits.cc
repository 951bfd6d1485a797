#include "core/random_bits.h"

#include <sodium.h>

namespace tidemark {
namespace {

class SystemBits final : public RandomBits {
 public:
  uint64_t Next() override {
    uint64_t bits = 0;
    randombytes_buf(&bits, sizeof bits);
    return bits;
  }
};

class SplitMix final : public RandomBits {
 public:
  explicit SplitMix(uint64_t seed) : state_(seed) {}
  uint64_t Next() override {
    uint64_t bits = (state_ += 0x9e3779b97f4a7c15u);
    bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9u;
    bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebu;
    return bits ^ (bits >> 31);
  }

 private:
  uint64_t state_;
};

}  // namespace

uint64_t RandomBits::Below(uint64_t limit) {
  // The values above the last whole multiple of `limit` would favour the small results.
  const uint64_t whole = UINT64_MAX - UINT64_MAX % limit;
  uint64_t bits = Next();
  while (bits >= whole) bits = Next();
  return bits % limit;
}

double RandomBits::Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

std::string RandomBits::Hex(size_t bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes * 2);
  uint64_t bits = 0;
  for (size_t i = 0; i < bytes; ++i) {
    if (i % sizeof bits == 0) bits = Next();
    text.push_back(kDigits[(bits >> 4) & 15]);
    text.push_back(kDigits[bits & 15]);
    bits >>= 8;
  }
  return text;
}

RandomBits& RandomBits::Real() {
  static SystemBits bits;  // trivially destructible
  return bits;
}

std::unique_ptr<RandomBits> SeededBits(uint64_t seed) { return std::make_unique<SplitMix>(seed); }

}  // namespace tidemark
