// Checks of the common case over short texts, inline and without a call; false only means that the
// full check of core/text.h has to decide.
#ifndef TIDEMARK_PIPELINE_TEXT_SCAN_H_
#define TIDEMARK_PIPELINE_TEXT_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tidemark {

// True when every byte is in 0x01..0x7f: valid UTF-8 without U+0000. Eight bytes at a time; the
// subtraction borrows into a byte's high bit exactly where a zero byte stands below no other
// (H. Warren, Hacker's Delight, section 6-1).
inline bool IsPlainAscii(const char* text, size_t size) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = 0x8080808080808080;
  uint64_t found = 0;
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t word;
    std::memcpy(&word, text + i, 8);
    found |= (word | (word - kOnes)) & kHighs;
  }
  for (; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    found |= static_cast<uint64_t>(static_cast<unsigned char>(byte - 1) | byte) & 0x80;
  }
  return found == 0;
}

// True when `text` is -?[0-9]+(\.[0-9]+)? with at most precision - scale digits before the point
// and at most `scale` behind it; precision 0: any number of them.
inline bool IsPlainDecimal(const char* text, size_t size, int32_t precision, int32_t scale) {
  size_t i = size > 0 && text[0] == '-' ? 1 : 0;
  const size_t whole_begin = i;
  while (i < size && static_cast<unsigned char>(text[i] - '0') <= 9) ++i;
  const size_t whole = i - whole_begin;
  if (whole == 0) return false;
  size_t fraction = 0;
  if (i < size) {
    if (text[i] != '.') return false;
    const size_t fraction_begin = ++i;
    while (i < size && static_cast<unsigned char>(text[i] - '0') <= 9) ++i;
    fraction = i - fraction_begin;
    if (fraction == 0 || i != size) return false;
  }
  return precision <= 0 || (whole <= static_cast<size_t>(precision - scale) &&
                            fraction <= static_cast<size_t>(scale));
}

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_TEXT_SCAN_H_
