// When a connection syncs by itself: `sync.frequency` of its file.
//
//   manual | realtime
//   hourly | daily | weekly      "0 * * * *", "0 0 * * *", "0 0 * * 1" (Monday)
//   every DURATION               "every 10 seconds", "every 5m", "every hour"; counted from the
//                                Unix epoch, whatever the zone
//   MINUTE HOUR DAY MONTH WEEKDAY  cron (crontab(5)): lists, ranges, steps, names; where both DAY
//                                and WEEKDAY are restricted (begin with no *), a day matches when
//                                either does
// with `sync.timezone` (IANA, default UTC) and `sync.jitter` (a duration: each start is moved by a
// fixed part of it, the same for one connection every time).
//
// Daylight saving: a time that does not exist runs at the first moment after the gap; one that
// exists twice runs once, at the first. Where every hour is meant (an HOUR of *), starts go on as
// time does: none for what does not exist, two for what exists twice.
#ifndef TIDEMARK_CONTROL_SCHEDULE_H_
#define TIDEMARK_CONTROL_SCHEDULE_H_

#include <bitset>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace tidemark {

// A value; thread-compatible. It knows no past: what asks it after an hour of standing still, or
// after the clock was set, gets the one next start, so that missed ones are not made up for.
class Schedule {
 public:
  enum class Kind { kManual, kRealtime, kInterval, kCron };

  static constexpr absl::Duration kMaxJitter = absl::Hours(24);

  Schedule() = default;
  // INVALID_ARGUMENT: what is wrong and what is accepted. `name` chooses the part of the jitter.
  static absl::StatusOr<Schedule> Parse(absl::string_view frequency, absl::string_view time_zone,
                                        absl::Duration jitter, absl::string_view name);

  Kind kind() const { return kind_; }
  // As it was written, without blanks around it.
  const std::string& text() const { return text_; }
  // The first start after `after`; InfiniteFuture for manual and realtime, and for a cron
  // expression that never comes (February 30).
  absl::Time Next(absl::Time after) const;
  // What counts as standing still: three times the usual distance of two starts, and half as much
  // again as the longest (of a night, of a weekend); infinite for manual, ten minutes for realtime.
  absl::Duration StaleAfter() const { return stale_after_; }

 private:
  absl::Status ReadCron(absl::string_view text);
  bool MatchesDay(absl::CivilDay day) const;
  absl::Duration StandingStill() const;  // StaleAfter(), by the days of many years
  // Both without the jitter.
  absl::Time NextAtHours(absl::Time after) const;
  absl::Time NextInEveryHour(absl::Time after) const;

  Kind kind_ = Kind::kManual;
  std::string text_ = "manual";
  absl::Duration interval_;
  absl::Duration shift_;  // the part of the jitter
  absl::Duration stale_after_ = absl::InfiniteDuration();
  absl::TimeZone zone_;
  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;     // 1..31
  std::bitset<13> months_;   // 1..12
  std::bitset<7> weekdays_;  // 0 Sunday
  bool either_day_ = false;  // days_ or weekdays_ suffices
};

// "UTC", "Europe/Berlin"; empty: UTC. INVALID_ARGUMENT.
absl::StatusOr<absl::TimeZone> ParseTimeZone(absl::string_view name);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_SCHEDULE_H_
