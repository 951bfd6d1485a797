#include "control/schedule.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "core/digest.h"
#include "core/duration_text.h"

namespace tidemark {
namespace {

// Every date and weekday come together again within 40 years, also around the year 2100.
constexpr int kHorizonDays = 45 * 366;
constexpr absl::Duration kLongestInterval = absl::Hours(24 * 366);
constexpr absl::Duration kDay = absl::Hours(24);

constexpr const char* kMonthNames[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                       "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr const char* kDayNames[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct CronField {
  const char* name;
  int low;
  int high;
  absl::Span<const char* const> words;  // the first stands for `low`
};

// Of crontab(5), in their order. 7 is Sunday too.
constexpr int kFields = 5;
CronField FieldAt(int index) {
  switch (index) {
    case 0:
      return {"minute", 0, 59, {}};
    case 1:
      return {"hour", 0, 23, {}};
    case 2:
      return {"day", 1, 31, {}};
    case 3:
      return {"month", 1, 12, kMonthNames};
    default:
      return {"weekday", 0, 7, kDayNames};
  }
}

unsigned char Byte(char c) { return static_cast<unsigned char>(c); }

absl::Status BadField(const CronField& field, absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("cron: ", field.name, " \"", text, "\" ", why));
}

absl::StatusOr<int> ReadValue(const CronField& field, absl::string_view text) {
  for (size_t i = 0; i < field.words.size(); ++i) {
    if (absl::EqualsIgnoreCase(text, field.words[i])) return field.low + static_cast<int>(i);
  }
  const bool digits =
      !text.empty() && text.size() <= 3 && text.find_first_not_of("0123456789") == text.npos;
  int value = 0;
  if (!digits || !absl::SimpleAtoi(text, &value) || value < field.low || value > field.high) {
    return BadField(field, text, absl::StrCat("is not in ", field.low, "-", field.high));
  }
  return value;
}

// "*", "5", "1-5", "*/10", "8-18/2" -> bits.
absl::StatusOr<uint64_t> ReadPart(const CronField& field, absl::string_view part) {
  const size_t slash = part.find('/');
  const absl::string_view range = part.substr(0, slash);
  int step = 1;
  if (slash != part.npos) {
    const absl::string_view text = part.substr(slash + 1);
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
    if (!digits || !absl::SimpleAtoi(text, &step) || step < 1) {
      return BadField(field, part, "has no step of 1 or more behind its /");
    }
  }
  int low = field.low;
  int high = field.high;
  if (range != "*") {
    const size_t dash = range.find('-');
    absl::StatusOr<int> first = ReadValue(field, range.substr(0, dash));
    if (!first.ok()) return first.status();
    low = high = *first;
    if (dash != range.npos) {
      absl::StatusOr<int> last = ReadValue(field, range.substr(dash + 1));
      if (!last.ok()) return last.status();
      high = *last;
      if (field.high == 7 && high == 0 && low > 0) high = 7;  // "fri-sun"
      if (high < low) return BadField(field, part, "ends before it begins");
    } else if (slash != part.npos) {
      return BadField(field, part, "has a step, which needs * or a range");
    }
  }
  uint64_t bits = 0;
  for (int64_t value = low; value <= high; value += step) bits |= uint64_t{1} << value;
  return bits;
}

absl::StatusOr<uint64_t> ReadField(const CronField& field, absl::string_view text) {
  uint64_t bits = 0;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    absl::StatusOr<uint64_t> more = ReadPart(field, part);
    if (!more.ok()) return more;
    bits |= *more;
  }
  return bits;
}

absl::StatusOr<absl::Duration> ReadInterval(absl::string_view text) {
  // `text` is in small letters. "pt30m" is ISO 8601, "hour" one hour.
  const bool iso = absl::StartsWith(text, "pt") ||
                   (text.size() > 1 && text[0] == 'p' && absl::ascii_isdigit(Byte(text[1])));
  std::string number(text);
  if (iso) {
    number = absl::AsciiStrToUpper(text);
  } else if (!text.empty() && absl::ascii_isalpha(Byte(text[0]))) {
    number = absl::StrCat("1 ", text);
  }
  absl::StatusOr<absl::Duration> interval = ParseDuration(number);
  if (!interval.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"every ", text,
                     "\" is no interval; write for example \"every 5 minutes\" or \"every 2h\" "
                     "(for months, a cron expression)"));
  }
  if (*interval < absl::Seconds(1) || *interval > kLongestInterval) {
    return absl::InvalidArgumentError(
        absl::StrCat("every ", text, ": expected from 1 second to 366 days"));
  }
  return interval;
}

// The moment at which the zone's offset changes next.
absl::Time NextChange(const absl::TimeZone& zone, absl::Time after) {
  absl::TimeZone::CivilTransition change;
  if (!zone.NextTransition(after, &change)) return absl::InfiniteFuture();
  return absl::FromCivil(change.from, absl::UTCTimeZone()) - absl::Seconds(zone.At(after).offset);
}

// The first moment of `day` after `at`, or an earlier one at which the offset changes: a day may
// begin twice.
absl::Time Jump(const absl::TimeZone& zone, absl::Time at, absl::CivilDay day) {
  const absl::Time target =
      std::min(absl::FromCivil(absl::CivilSecond(day), zone), NextChange(zone, at));
  return target > at ? target : at + absl::Minutes(1);
}

}  // namespace

absl::StatusOr<absl::TimeZone> ParseTimeZone(absl::string_view name) {
  if (name.empty()) return absl::UTCTimeZone();
  // Abseil would also open the file that a path names.
  bool plain = name[0] != '/' && !absl::StrContains(name, "..");
  for (const char c : name) {
    plain = plain && (absl::ascii_isalnum(Byte(c)) ||
                      absl::string_view("_+-/").find(c) != absl::string_view::npos);
  }
  absl::TimeZone zone;
  if (!plain || !absl::LoadTimeZone(std::string(name), &zone)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", name, "\" is no time zone (\"UTC\", \"Europe/Berlin\")"));
  }
  return zone;
}

absl::StatusOr<Schedule> Schedule::Parse(absl::string_view frequency, absl::string_view time_zone,
                                         absl::Duration jitter, absl::string_view name) {
  Schedule schedule;
  absl::StatusOr<absl::TimeZone> zone = ParseTimeZone(time_zone);
  if (!zone.ok()) return zone.status();
  schedule.zone_ = *zone;
  if (jitter < absl::ZeroDuration() || jitter > kMaxJitter) {
    return absl::InvalidArgumentError("jitter: expected at most 24 hours");
  }
  if (const int64_t parts = absl::ToInt64Milliseconds(jitter); parts > 0) {
    uint64_t hash = 0;
    std::memcpy(&hash, Blake2b256(name).data(), sizeof(hash));
    schedule.shift_ = absl::Milliseconds(static_cast<int64_t>(hash % static_cast<uint64_t>(parts)));
  }
  schedule.text_ = std::string(absl::StripAsciiWhitespace(frequency));
  const std::string lower = absl::AsciiStrToLower(schedule.text_);
  absl::string_view rest = lower;
  absl::Status status;
  if (lower == "manual") return schedule;
  if (lower == "realtime") {
    schedule.kind_ = Kind::kRealtime;
  } else if (absl::ConsumePrefix(&rest, "every ")) {
    schedule.kind_ = Kind::kInterval;
    absl::StatusOr<absl::Duration> interval = ReadInterval(absl::StripAsciiWhitespace(rest));
    if (!interval.ok()) return interval.status();
    schedule.interval_ = *interval;
  } else if (lower == "hourly") {
    status = schedule.ReadCron("0 * * * *");
  } else if (lower == "daily") {
    status = schedule.ReadCron("0 0 * * *");
  } else if (lower == "weekly") {
    status = schedule.ReadCron("0 0 * * 1");
  } else {
    status = schedule.ReadCron(lower);
  }
  if (!status.ok()) return status;
  schedule.stale_after_ = schedule.StandingStill();
  return schedule;
}

absl::Status Schedule::ReadCron(absl::string_view text) {
  const std::vector<absl::string_view> texts =
      absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  if (texts.size() != kFields) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text_, "\" is no schedule; write manual, realtime, hourly, daily, weekly, \"every 5 ",
        "minutes\" or a cron expression of five fields (\"30 6 * * mon-fri\")"));
  }
  uint64_t bits[kFields];
  for (int i = 0; i < kFields; ++i) {
    absl::StatusOr<uint64_t> field = ReadField(FieldAt(i), texts[static_cast<size_t>(i)]);
    if (!field.ok()) return field.status();
    bits[i] = *field;
  }
  kind_ = Kind::kCron;
  minutes_ = bits[0];
  hours_ = bits[1];
  days_ = bits[2];
  months_ = bits[3];
  weekdays_ = (bits[4] | (bits[4] >> 7)) & 0x7f;
  either_day_ = texts[2][0] != '*' && texts[4][0] != '*';
  return absl::OkStatus();
}

bool Schedule::MatchesDay(absl::CivilDay day) const {
  if (!months_[static_cast<size_t>(day.month())]) return false;
  const bool date = days_[static_cast<size_t>(day.day())];
  // absl::Weekday counts from Monday.
  const bool weekday = weekdays_[(static_cast<size_t>(absl::GetWeekday(day)) + 1) % 7];
  return either_day_ ? date || weekday : date && weekday;
}

absl::Time Schedule::Next(absl::Time after) const {
  const absl::Time earliest = absl::FromUnixSeconds(-62'135'596'800);  // 0001-01-01
  const absl::Time latest = absl::FromUnixSeconds(253'370'764'800);    // 9999-01-01
  if (kind_ == Kind::kManual || kind_ == Kind::kRealtime || after > latest) {
    return absl::InfiniteFuture();
  }
  const absl::Time base = std::max(after, earliest) - shift_;
  if (kind_ == Kind::kInterval) {
    const absl::Duration since = base - absl::UnixEpoch();
    return absl::UnixEpoch() + absl::Floor(since, interval_) + interval_ + shift_;
  }
  return (hours_.all() ? NextInEveryHour(base) : NextAtHours(base)) + shift_;
}

// Civil times in their order: FromCivil keeps it, takes the first of two and the end of a gap.
absl::Time Schedule::NextAtHours(absl::Time after) const {
  const absl::CivilMinute from = absl::ToCivilMinute(after, zone_);
  absl::CivilDay day(from);
  for (const absl::CivilDay last = day + kHorizonDays; day <= last; ++day) {
    if (!months_[static_cast<size_t>(day.month())]) {
      day = absl::CivilDay(absl::CivilMonth(day) + 1) - 1;
      continue;
    }
    if (!MatchesDay(day)) continue;
    for (size_t hour = 0; hour < hours_.size(); ++hour) {
      if (!hours_[hour]) continue;
      for (size_t minute = 0; minute < minutes_.size(); ++minute) {
        if (!minutes_[minute]) continue;
        const absl::CivilMinute at(day.year(), day.month(), day.day(), static_cast<int>(hour),
                                   static_cast<int>(minute));
        if (at < from) continue;
        const absl::Time time = absl::FromCivil(absl::CivilSecond(at), zone_);
        if (time > after) return time;
      }
    }
  }
  return absl::InfiniteFuture();
}

// Moments in their order, each asked for its civil time.
absl::Time Schedule::NextInEveryHour(absl::Time after) const {
  const absl::TimeZone::CivilInfo now = zone_.At(after);
  absl::Time at = after - now.subsecond - absl::Seconds(now.cs.second()) + absl::Minutes(1);
  const absl::Time last = after + kHorizonDays * kDay;
  while (at <= last) {
    const absl::CivilSecond civil = zone_.At(at).cs;
    const absl::CivilDay day(civil);
    if (!months_[static_cast<size_t>(day.month())]) {
      at = Jump(zone_, at, absl::CivilDay(absl::CivilMonth(day) + 1));
    } else if (!MatchesDay(day)) {
      at = Jump(zone_, at, day + 1);
    } else if (!minutes_[static_cast<size_t>(civil.minute())]) {
      at += absl::Minutes(1);
    } else {
      return at;
    }
  }
  return absl::InfiniteFuture();
}

absl::Duration Schedule::StandingStill() const {
  if (kind_ == Kind::kRealtime) return absl::Minutes(10);
  if (kind_ == Kind::kInterval) return 3 * interval_;
  // Starts within a day ...
  int64_t count = 0;
  int64_t first = 0;
  int64_t last = 0;
  int64_t longest = 0;
  for (size_t i = 0; i < hours_.size() * minutes_.size(); ++i) {
    if (!hours_[i / minutes_.size()] || !minutes_[i % minutes_.size()]) continue;
    const int64_t minute = static_cast<int64_t>(i);
    if (count++ == 0) {
      first = minute;
    } else {
      longest = std::max(longest, minute - last);
    }
    last = minute;
  }
  // ... and days, from one with a Monday and before a leap day on.
  int64_t days = 0;
  int64_t nights = 0;
  int64_t waited = 0;
  absl::CivilDay before;
  for (absl::CivilDay day(2024, 1, 1); day < absl::CivilDay(2064, 1, 1) && nights < 64; ++day) {
    if (!MatchesDay(day)) continue;
    if (days++ > 0) {
      ++nights;
      waited += day - before;
      longest = std::max(longest, (day - before) * 1440 - (last - first));
    }
    before = day;
  }
  if (nights == 0) return absl::InfiniteDuration();
  return std::max(3 * waited * kDay / (nights * count), absl::Minutes(longest) * 1.5);
}

}  // namespace tidemark
