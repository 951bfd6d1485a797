// A span as people write it, with months that have no fixed length.
#ifndef TIDEMARK_CURSORS_CALENDAR_SPAN_H_
#define TIDEMARK_CURSORS_CALENDAR_SPAN_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark::cursors {

// A value; thread-compatible. Not negative.
class CalendarSpan {
 public:
  CalendarSpan() = default;
  CalendarSpan(int64_t months, absl::Duration rest) : months_(months), rest_(rest) {}

  // Numbers with units (us ms s m h d w, "seconds", "minutes", .., "months", "years"), several in a
  // row ("1 day 2 hours"), or ISO 8601 ("PT30M", "P1DT2H"). INVALID_ARGUMENT names the text.
  static absl::StatusOr<CalendarSpan> Parse(absl::string_view text);

  // `time` less or plus this span. Months are counted in UTC and end on the month's last day where
  // it is shorter. Infinite times stay as they are.
  absl::Time Before(absl::Time time) const;
  absl::Time After(absl::Time time) const;

  bool zero() const { return months_ == 0 && rest_ == absl::ZeroDuration(); }
  int64_t months() const { return months_; }
  absl::Duration rest() const { return rest_; }
  // "3 months 2h"
  std::string ToString() const;

  friend bool operator==(const CalendarSpan& a, const CalendarSpan& b) {
    return a.months_ == b.months_ && a.rest_ == b.rest_;
  }

 private:
  int64_t months_ = 0;
  absl::Duration rest_;
};

}  // namespace tidemark::cursors

#endif  // TIDEMARK_CURSORS_CALENDAR_SPAN_H_
