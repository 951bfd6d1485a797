#include "core/duration_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

absl::Status Bad(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", text, "\" is not a duration; write for example \"5 minutes\", \"2h\" or \"PT30M\""));
}

struct Unit {
  absl::string_view name;
  int64_t months;
  absl::Duration rest;
};

const Unit* FindUnit(absl::string_view name) {
  static constexpr absl::Duration kNone = absl::ZeroDuration();
  static constexpr std::array<Unit, 22> kUnits = {{
      {"us", 0, absl::Microseconds(1)},
      {"ms", 0, absl::Milliseconds(1)},
      {"s", 0, absl::Seconds(1)},
      {"sec", 0, absl::Seconds(1)},
      {"second", 0, absl::Seconds(1)},
      {"m", 0, absl::Minutes(1)},
      {"min", 0, absl::Minutes(1)},
      {"minute", 0, absl::Minutes(1)},
      {"h", 0, absl::Hours(1)},
      {"hour", 0, absl::Hours(1)},
      {"hr", 0, absl::Hours(1)},
      {"d", 0, absl::Hours(24)},
      {"day", 0, absl::Hours(24)},
      {"w", 0, absl::Hours(168)},
      {"week", 0, absl::Hours(168)},
      {"mo", 1, kNone},
      {"mon", 1, kNone},
      {"month", 1, kNone},
      {"y", 12, kNone},
      {"yr", 12, kNone},
      {"year", 12, kNone},
      {"millisecond", 0, absl::Milliseconds(1)},
  }};
  for (const Unit& unit : kUnits) {
    if (name == unit.name) return &unit;
    if (unit.name.size() > 2 && name == absl::StrCat(unit.name, "s")) return &unit;
  }
  return nullptr;
}

constexpr double kMaxMonths = 12e6;  // a million years: no calendar goes further

// Takes the number at the start of `rest`.
bool TakeNumber(absl::string_view* rest, double* number) {
  size_t n = 0;
  while (n < rest->size() &&
         (absl::ascii_isdigit(static_cast<unsigned char>((*rest)[n])) || (*rest)[n] == '.')) {
    ++n;
  }
  if (n == 0 || !absl::SimpleAtod(rest->substr(0, n), number)) return false;
  rest->remove_prefix(n);
  return true;
}

bool AddUnits(double number, const Unit& unit, CalendarDuration* sum) {
  if (unit.months != 0) {
    const double months = number * static_cast<double>(unit.months);
    if (!(months <= kMaxMonths) || months != std::floor(months)) return false;
    sum->months += static_cast<int64_t>(months);
  }
  sum->rest += number * unit.rest;
  return true;
}

// ISO 8601 durations: P[nY][nM][nW][nD][T[nH][nM][nS]].
absl::StatusOr<CalendarDuration> ParseIso(absl::string_view text) {
  CalendarDuration sum;
  absl::string_view rest = text.substr(1);
  bool time = false;
  bool any = false;
  while (!rest.empty()) {
    if (rest[0] == 'T' && !time) {
      time = true;
      rest.remove_prefix(1);
      continue;
    }
    double number = 0;
    if (!TakeNumber(&rest, &number) || rest.empty()) return Bad(text);
    const char letter = rest[0];
    rest.remove_prefix(1);
    const Unit* unit = nullptr;
    if (time) {
      if (letter == 'H') unit = FindUnit("h");
      if (letter == 'M') unit = FindUnit("m");
      if (letter == 'S') unit = FindUnit("s");
    } else {
      if (letter == 'Y') unit = FindUnit("y");
      if (letter == 'M') unit = FindUnit("mo");
      if (letter == 'W') unit = FindUnit("w");
      if (letter == 'D') unit = FindUnit("d");
    }
    if (unit == nullptr || !AddUnits(number, *unit, &sum)) return Bad(text);
    any = true;
  }
  if (!any) return Bad(text);
  return sum;
}

absl::Time AddMonths(absl::Time time, int64_t months) {
  if (months == 0) return time;
  const absl::CivilSecond civil = absl::ToCivilSecond(time, absl::UTCTimeZone());
  const absl::Duration fraction = time - absl::FromCivil(civil, absl::UTCTimeZone());
  const absl::CivilMonth month = absl::CivilMonth(civil) + months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  const absl::CivilDay day(month.year(), month.month(), std::min(civil.day(), last.day()));
  const absl::CivilSecond moved(day.year(), day.month(), day.day(), civil.hour(), civil.minute(),
                                civil.second());
  return absl::FromCivil(moved, absl::UTCTimeZone()) + fraction;
}

}  // namespace

absl::Time CalendarDuration::Before(absl::Time time) const {
  return AddMonths(time, -months) - rest;
}
absl::Time CalendarDuration::After(absl::Time time) const { return AddMonths(time, months) + rest; }

absl::StatusOr<CalendarDuration> ParseCalendarDuration(absl::string_view text) {
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  if (!rest.empty() && rest[0] == 'P') return ParseIso(rest);
  CalendarDuration sum;
  bool any = false;
  while (!rest.empty()) {
    double number = 0;
    if (!TakeNumber(&rest, &number)) return Bad(text);
    rest = absl::StripLeadingAsciiWhitespace(rest);
    size_t n = 0;
    while (n < rest.size() && absl::ascii_isalpha(static_cast<unsigned char>(rest[n]))) ++n;
    const Unit* unit = FindUnit(absl::AsciiStrToLower(rest.substr(0, n)));
    if (unit == nullptr || !AddUnits(number, *unit, &sum)) return Bad(text);
    rest = absl::StripLeadingAsciiWhitespace(rest.substr(n));
    any = true;
  }
  if (!any) return Bad(text);
  return sum;
}

absl::StatusOr<absl::Duration> ParseDuration(absl::string_view text) {
  const absl::StatusOr<CalendarDuration> parsed = ParseCalendarDuration(text);
  if (!parsed.ok()) return parsed.status();
  if (parsed->months != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", text, "\" has months or years, which have no fixed length; use days here"));
  }
  return parsed->rest;
}

}  // namespace tidemark
