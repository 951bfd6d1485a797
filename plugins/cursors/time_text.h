// Times as sources write them, with the precision they were written in.
#ifndef TIDEMARK_CURSORS_TIME_TEXT_H_
#define TIDEMARK_CURSORS_TIME_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark::cursors {

// The unit a source counts in. Many rows may share a value when it is coarse.
enum class Precision { kDay, kSecond, kMillisecond, kMicrosecond };

absl::Duration UnitOf(Precision precision);
absl::string_view PrecisionName(Precision precision);  // "days", "seconds", ..
std::optional<Precision> ParsePrecision(absl::string_view name);
// `time` cut to its precision, towards the past. A day is a day of UTC.
absl::Time Floor(absl::Time time, Precision precision);

struct SourceTime {
  absl::Time time;
  Precision precision = Precision::kSecond;
  bool had_zone = false;  // Z or an offset stood in the text
};

// How text without an offset is read.
struct ZoneRule {
  absl::TimeZone zone = absl::UTCTimeZone();
  bool fold_later = false;  // which of the two instants, where the clock was put back
};

// ISO 8601: "2024-01-15", "2024-01-15T10:30:00Z", a blank instead of T, seconds left out, 1..9
// fraction digits (cut to microseconds), offsets "+02:00", "+0200", "+02". Second 60 is taken as
// 59.999999. INVALID_ARGUMENT says what is wrong; so is a time that a clock in the zone skips.
absl::StatusOr<SourceTime> ParseTime(absl::string_view text, const ZoneRule& rule = {});

// UTC: "2024-01-15" or "2024-01-15T10:30:00[.fff[fff]]Z".
std::string FormatTime(absl::Time time, Precision precision);

// "Europe/Berlin", "UTC", "+02:00". INVALID_ARGUMENT names the zone.
absl::StatusOr<absl::TimeZone> ParseZone(absl::string_view name);

}  // namespace tidemark::cursors

#endif  // TIDEMARK_CURSORS_TIME_TEXT_H_
