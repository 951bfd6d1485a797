// Times as text: ISO 8601 / RFC 3339 in and out, microseconds.
#ifndef TIDEMARK_CORE_TIME_TEXT_H_
#define TIDEMARK_CORE_TIME_TEXT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark {

// Fixed width, sortable as text for years 0000..9999: "2024-01-15T10:30:00.000000Z". Years outside
// are written with a sign. INT64_MIN / INT64_MAX are "-infinity" / "infinity".
std::string FormatUtcMicros(int64_t us);
// The same without the Z.
std::string FormatNaiveMicros(int64_t us);
// "2024-01-15" for days since 1970-01-01.
std::string FormatDate(int64_t days);
// "10:30:00.000000" for microseconds since midnight; 86,400,000,000 is "24:00:00.000000".
std::string FormatTimeOfDay(int64_t us);
// Seconds precision for reports and logs: "2024-01-15T10:30:00Z".
std::string FormatReportTime(absl::Time time);
std::string FormatReportTime(int64_t us);  // of microseconds since the epoch

// Writers of the first two into a caller's buffer of at least 32 bytes; return the length.
size_t FormatUtcMicrosTo(int64_t us, char* out);
size_t FormatNaiveMicrosTo(int64_t us, char* out);
size_t FormatDateTo(int64_t days, char* out);
size_t FormatTimeOfDayTo(int64_t us, char* out);

// What a parsed time was like beyond its microseconds.
struct ParsedTime {
  int64_t us = 0;
  bool had_zone = false;     // Z or an offset stood in the text
  bool date_only = false;    // YYYY-MM-DD
  bool truncated = false;    // finer than a microsecond: cut
  bool leap_second = false;  // second 60: taken as 59.999999
};

// "2024-01-15T10:30:00Z", offset "+02:00" or "+0200", blank instead of T, 0..9 fraction digits,
// date only (midnight). Without a zone the time is taken in `zone`. INVALID_ARGUMENT with the text
// and what is wrong with it; a time inside a DST gap of `zone` is refused; a repeated one is
// resolved `fold_later` ? later : earlier.
absl::StatusOr<ParsedTime> ParseTime(absl::string_view text,
                                     absl::TimeZone zone = absl::UTCTimeZone(),
                                     bool fold_later = false);
// "2024-01-15" -> days since 1970-01-01.
absl::StatusOr<int64_t> ParseDate(absl::string_view text);
// "10:30:00[.ffffff]" -> microseconds since midnight.
absl::StatusOr<int64_t> ParseTimeOfDay(absl::string_view text);

}  // namespace tidemark

#endif  // TIDEMARK_CORE_TIME_TEXT_H_
