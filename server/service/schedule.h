// When a connection syncs by itself: `sync.frequency` of its file.
//
//   manual | realtime | hourly | daily | weekly
//   every DURATION               "every 10 seconds", "every 5m"; counted from the Unix epoch
//   MINUTE HOUR DAY MONTH WEEKDAY  cron (crontab(5)): lists, ranges, steps, names; a day matches
//                                when either of DAY and WEEKDAY does, where both are restricted
// with `sync.timezone` (IANA, default UTC) and `sync.jitter` (a duration: each start is moved by a
// fixed part of it, the same for one connection every time).
//
// Daylight saving: a time that does not exist runs at the first moment after the gap; one that
// exists twice runs once, at the first.
#ifndef TIDEMARK_SERVICE_SCHEDULE_H_
#define TIDEMARK_SERVICE_SCHEDULE_H_

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark {

// A value; thread-compatible.
class Schedule {
 public:
  enum class Kind { kManual, kRealtime, kInterval, kCron };

  Schedule() = default;
  // INVALID_ARGUMENT: what is wrong and what is accepted. `name` chooses the part of the jitter.
  static absl::StatusOr<Schedule> Parse(absl::string_view frequency, absl::string_view time_zone,
                                        absl::Duration jitter, absl::string_view name);

  Kind kind() const { return kind_; }
  const std::string& text() const { return text_; }
  // The first start after `after`; InfiniteFuture for manual and realtime, and for a cron
  // expression that never comes (February 30).
  absl::Time Next(absl::Time after) const;
  // What counts as standing still: three times the usual distance of two starts; infinite for
  // manual, ten minutes for realtime.
  absl::Duration StaleAfter() const;

 private:
  absl::Time NextCron(absl::Time after) const;

  Kind kind_ = Kind::kManual;
  std::string text_ = "manual";
  absl::Duration interval_ = absl::ZeroDuration();
  absl::Duration shift_ = absl::ZeroDuration();  // the part of the jitter
  absl::TimeZone zone_ = absl::UTCTimeZone();
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;      // 1..31
  std::bitset<13> months_;    // 1..12
  std::bitset<7> weekdays_;   // 0 Sunday
  bool any_day_ = true;
  bool any_weekday_ = true;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_SCHEDULE_H_
