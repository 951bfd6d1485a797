// Durations as people write them: "5 minutes", "2h", "PT30M", "3 months".
#ifndef TIDEMARK_CORE_DURATION_TEXT_H_
#define TIDEMARK_CORE_DURATION_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark {

// A span with calendar months, which have no fixed length.
struct CalendarDuration {
  int64_t months = 0;
  absl::Duration rest;

  // `time` less / plus this span, months counted in UTC and clamped to the last day of the month.
  absl::Time Before(absl::Time time) const;
  absl::Time After(absl::Time time) const;
};

// A number and a unit (us ms s sec second(s) m min minute(s) h hour(s) d day(s) w week(s) month(s)
// year(s)), several in a row, or ISO 8601 ("P1DT2H"). INVALID_ARGUMENT names the text and an
// example.
absl::StatusOr<CalendarDuration> ParseCalendarDuration(absl::string_view text);
// The same, refusing months and years.
absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text);

}  // namespace tidemark

#endif  // TIDEMARK_CORE_DURATION_TEXT_H_
