// Checks of text and bytes that arrive from outside: UTF-8, JSON, decimals, numbers.
#ifndef TIDEMARK_CORE_TEXT_H_
#define TIDEMARK_CORE_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tidemark {

bool IsUtf8(absl::string_view text);
// True when a byte is 0.
bool HasNul(absl::string_view text);
// The longest prefix of at most `max_bytes` bytes that ends at a character boundary.
absl::string_view CutUtf8(absl::string_view text, size_t max_bytes);

// -?[0-9]+(\.[0-9]+)? or NaN, Infinity, -Infinity.
bool IsDecimal(absl::string_view text);
// No leading zeros ("-0" is "0"), no trailing zeros behind the point, no bare point.
// REQUIRES: IsDecimal(text).
std::string CanonicalDecimal(absl::string_view text);
// True when |text| fits DECIMAL(precision, scale) without rounding; precision 0: any.
bool DecimalFits(absl::string_view text, int32_t precision, int32_t scale);

// Shortest text that reads back to the same double: "1", "1.5", "1e+22", "NaN", "Infinity".
std::string DoubleText(double value);
// Writer of the same; `out` holds at least 32 bytes; returns the length.
size_t DoubleTextTo(double value, char* out);
// The double as an exact plain decimal without exponent ("10000000000000000000000").
// REQUIRES: finite.
std::string DoubleDecimal(double value);

// OK when `text` is one complete JSON document (RFC 8259) in UTF-8. Any size of number is JSON.
// Thread-compatible object because it keeps its parser's memory.
class JsonChecker {
 public:
  JsonChecker();
  ~JsonChecker();
  JsonChecker(const JsonChecker&) = delete;
  JsonChecker& operator=(const JsonChecker&) = delete;
  // Throws std::bad_alloc where there is no memory: that says nothing about the text.
  absl::Status Check(absl::string_view text);

 private:
  struct Parser;
  Parser* parser_;
};

// Appends `text` as a quoted JSON string; invalid UTF-8 bytes become U+FFFD.
void AppendJsonString(absl::string_view text, std::string* out);

}  // namespace tidemark

#endif  // TIDEMARK_CORE_TEXT_H_
