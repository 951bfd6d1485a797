// What texts of a connector have to be.
#ifndef TIDEMARK_UTF8_H_
#define TIDEMARK_UTF8_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace tidemark {
inline namespace sdk_v1 {

// Whether `text` is well-formed UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above
// U+10FFFF). NUL is UTF-8, and yet no part of a text that goes to the host.
inline bool IsUtf8(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const size_t more = c < 0x80 ? 0 : c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
    if ((c >= 0x80 && c < 0xC2) || c > 0xF4 || i + more >= text.size()) return false;
    uint32_t point = more == 0 ? c : c & (0x3Fu >> more);
    for (size_t k = 1; k <= more; ++k) {
      const auto d = static_cast<unsigned char>(text[i + k]);
      if ((d & 0xC0) != 0x80) return false;
      point = point << 6 | (d & 0x3F);
    }
    const bool overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
    if (overlong || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    i += more + 1;
  }
  return true;
}

}  // namespace sdk_v1
}  // namespace tidemark

#endif  // TIDEMARK_UTF8_H_
