#include "generator/rows.h"

#include <charconv>
#include <cstring>

namespace {

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection that mixes every bit.
constexpr uint64_t Mix(uint64_t x) {
  x ^= x >> 30;
  x *= 0xbf58476d1ce4e5b9u;
  x ^= x >> 27;
  x *= 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// A stream of random numbers (SplitMix64).
class Stream {
 public:
  explicit Stream(uint64_t start) : state_(start) {}
  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15u); }

  // `size` letters a..p, sixteen from one number; `size` is a multiple of four.
  void Letters(char* out, size_t size) {
    while (size > 0) {
      const uint64_t random = Next();
      const uint64_t letters[2] = {(random & 0x0f0f0f0f0f0f0f0fu) + 0x6161616161616161u,
                                   ((random >> 4) & 0x0f0f0f0f0f0f0f0fu) + 0x6161616161616161u};
      const size_t n = size < sizeof(letters) ? size : sizeof(letters);
      std::memcpy(out, letters, n);
      out += n;
      size -= n;
    }
  }

 private:
  uint64_t state_;
};

constexpr char kPayloadStart[] = "{\"note\":\"";
constexpr char kPayloadMiddle[] = "\",\"n\":";
constexpr char kPayloadEnd[] = ",\"ok\":true}";
constexpr size_t kNote = 44;
static_assert(sizeof(kPayloadStart) + sizeof(kPayloadMiddle) + sizeof(kPayloadEnd) - 3 + kNote +
                  10 ==
              GENERATOR_PAYLOAD);

char* Put(char* out, const char* text, size_t size) {
  std::memcpy(out, text, size);
  return out + size;
}

void FillPayload(Stream& random, char* out) {
  out = Put(out, kPayloadStart, sizeof(kPayloadStart) - 1);
  random.Letters(out, kNote);
  out = Put(out + kNote, kPayloadMiddle, sizeof(kPayloadMiddle) - 1);
  const uint64_t n = 1'000'000'000u + random.Next() % 9'000'000'000u;  // ten digits
  out = std::to_chars(out, out + 10, n).ptr;
  Put(out, kPayloadEnd, sizeof(kPayloadEnd) - 1);
}

// Cents as -?[0-9]+\.[0-9][0-9]; returns the size.
uint32_t FillPrice(int64_t cents, char* out) {
  char* p = out;
  if (cents < 0) *p++ = '-';
  const uint64_t magnitude = static_cast<uint64_t>(cents < 0 ? -cents : cents);
  p = std::to_chars(p, out + GENERATOR_PRICE_MAX, magnitude / 100).ptr;
  const uint64_t rest = magnitude % 100;
  *p++ = '.';
  *p++ = static_cast<char>('0' + rest / 10);
  *p++ = static_cast<char>('0' + rest % 10);
  return static_cast<uint32_t>(p - out);
}

// A bijection of [0, 2^bits). Walked until it falls below count, it is one of [0, count).
class Shuffle {
 public:
  Shuffle(uint64_t seed, uint64_t count) : key_(Mix(seed + 0x5368756666u)) {
    while (bits_ < 63 && (uint64_t{1} << bits_) < count) ++bits_;
    mask_ = (uint64_t{1} << bits_) - 1;
  }

  uint64_t Forward(uint64_t x) const {
    x = (x + key_) & mask_;
    for (int round = 0; round < kRounds; ++round) {
      x ^= x >> (bits_ / 2);
      x = (x * kFactor) & mask_;
    }
    return x ^ (x >> (bits_ / 2));
  }
  uint64_t Backward(uint64_t x) const {
    x = Unshift(x);
    for (int round = 0; round < kRounds; ++round) x = Unshift((x * Inverse()) & mask_);
    return (x - key_) & mask_;
  }

 private:
  static constexpr int kRounds = 3;
  static constexpr uint64_t kFactor = 0x9e3779b97f4a7c15u;

  // Undoes x ^= x >> bits / 2, from the highest bits down.
  uint64_t Unshift(uint64_t x) const {
    uint64_t y = x;
    for (unsigned known = bits_ / 2; known < bits_; known += bits_ / 2) {
      y = x ^ (y >> (bits_ / 2));
    }
    return y;
  }
  // Of the odd factor modulo 2^64; each step of Newton's doubles the bits that are right.
  static constexpr uint64_t Inverse() {
    uint64_t inverse = kFactor;
    for (int i = 0; i < 6; ++i) inverse *= 2 - kFactor * inverse;
    return inverse;
  }

  unsigned bits_ = 2;
  uint64_t mask_ = 0;
  const uint64_t key_;
};

}  // namespace

void generator_fill(uint64_t seed, uint64_t variant, int64_t id, generator_row* row) {
  Stream random(Mix(Mix(seed) + variant) ^ Mix(static_cast<uint64_t>(id)));
  row->id = id;
  row->account = static_cast<int64_t>(random.Next() >> 1);
  row->amount = static_cast<double>(static_cast<int64_t>(random.Next())) / 4294967296.0;
  row->price_size = FillPrice(
      static_cast<int64_t>(random.Next() % 1'999'999'999'999u) - 999'999'999'999, row->price);
  const uint64_t bits = random.Next();
  row->active = static_cast<uint32_t>(bits & 1);
  row->day = static_cast<int64_t>(18'262 + (bits >> 8) % 3'650);  // ten years from 2020-01-01
  // Two days for each variant, so that a later variant is a later change of every row, also of an
  // updated one.
  row->updated_at_us = 1'700'000'000'000'000 + static_cast<int64_t>(variant) * 172'800'000'000 +
                       static_cast<int64_t>((bits >> 24) % 86'400'000'000u);
  random.Letters(row->code, GENERATOR_CODE);
  random.Letters(row->name, GENERATOR_NAME);
  FillPayload(random, row->payload);
}

int64_t generator_shuffled_id(uint64_t seed, uint64_t position, uint64_t count) {
  const Shuffle shuffle(seed, count);
  uint64_t x = position;
  do {
    x = shuffle.Forward(x);
  } while (x >= count);
  return static_cast<int64_t>(x) + 1;
}

uint64_t generator_shuffled_position(uint64_t seed, int64_t id, uint64_t count) {
  const Shuffle shuffle(seed, count);
  uint64_t x = static_cast<uint64_t>(id) - 1;
  do {
    x = shuffle.Backward(x);
  } while (x >= count);
  return x;
}

double generator_share(uint64_t seed, uint64_t purpose, uint64_t position) {
  return static_cast<double>(Mix(Mix(seed + purpose) ^ Mix(position)) >> 11) / 9007199254740992.0;
}
