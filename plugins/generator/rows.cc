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
  // A bijection of [0, 2^bits), walked until it falls below count: a bijection of [0, count).
  unsigned bits = 2;
  while (bits < 63 && (uint64_t{1} << bits) < count) ++bits;
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  const uint64_t key = Mix(seed + 0x5368756666u);
  uint64_t x = position;
  do {
    x = (x + key) & mask;
    for (int round = 0; round < 3; ++round) {
      x ^= x >> (bits / 2);
      x = (x * 0x9e3779b97f4a7c15u) & mask;
    }
    x ^= x >> (bits / 2);
  } while (x >= count);
  return static_cast<int64_t>(x) + 1;
}

double generator_share(uint64_t seed, uint64_t purpose, uint64_t position) {
  return static_cast<double>(Mix(Mix(seed + purpose) ^ Mix(position)) >> 11) / 9007199254740992.0;
}
