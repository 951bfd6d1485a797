#include "cursors/calendar_span.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace tidemark::cursors {
namespace {

struct Unit {
  int64_t months = 0;
  absl::Duration rest;
};

std::optional<Unit> FindUnit(absl::string_view name) {
  const auto is = [name](absl::string_view a, absl::string_view b) {
    return name == a || name == b || name == absl::StrCat(b, "s");
  };
  if (is("us", "microsecond")) return Unit{0, absl::Microseconds(1)};
  if (is("ms", "millisecond")) return Unit{0, absl::Milliseconds(1)};
  if (is("s", "second") || is("sec", "sec")) return Unit{0, absl::Seconds(1)};
  if (is("m", "minute") || is("min", "min")) return Unit{0, absl::Minutes(1)};
  if (is("h", "hour") || is("hr", "hr")) return Unit{0, absl::Hours(1)};
  if (is("d", "day")) return Unit{0, absl::Hours(24)};
  if (is("w", "week")) return Unit{0, absl::Hours(24 * 7)};
  if (is("mo", "month")) return Unit{1, {}};
  if (is("y", "year")) return Unit{12, {}};
  return std::nullopt;
}

absl::Status NotASpan(absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", text.substr(0, 64), "\" is not a duration: write for example \"5 minutes\""));
}

// A number and the letters that follow it; false at the end or where there are none.
bool TakePart(absl::string_view& rest, double* number, std::string* unit) {
  rest = absl::StripLeadingAsciiWhitespace(rest);
  size_t digits = 0;
  while (digits < rest.size() &&
         (absl::ascii_isdigit(static_cast<unsigned char>(rest[digits])) || rest[digits] == '.')) {
    ++digits;
  }
  if (digits == 0 || !absl::SimpleAtod(rest.substr(0, digits), number)) return false;
  rest = absl::StripLeadingAsciiWhitespace(rest.substr(digits));
  size_t letters = 0;
  while (letters < rest.size() && absl::ascii_isalpha(static_cast<unsigned char>(rest[letters]))) {
    ++letters;
  }
  *unit = absl::AsciiStrToLower(rest.substr(0, letters));
  rest.remove_prefix(letters);
  return true;
}

// Adds `number` units; a fraction of a month has no meaning.
bool Add(double number, const Unit& unit, int64_t* months, absl::Duration* rest) {
  if (unit.months == 0) {
    *rest += number * unit.rest;
    return true;
  }
  const auto whole = static_cast<int64_t>(number);
  if (static_cast<double>(whole) != number) return false;
  *months += whole * unit.months;
  return true;
}

// After the P of ISO 8601. There M is a month before the T and a minute behind it.
absl::StatusOr<CalendarSpan> ParseIso(absl::string_view text, absl::string_view rest) {
  int64_t months = 0;
  absl::Duration span;
  bool any = false;
  bool time = false;
  while (!rest.empty()) {
    if (!time && (rest[0] == 'T' || rest[0] == 't')) {
      time = true;
      rest.remove_prefix(1);
    }
    double number = 0;
    size_t digits = 0;
    while (digits < rest.size() && !absl::ascii_isalpha(static_cast<unsigned char>(rest[digits]))) {
      ++digits;
    }
    if (digits == rest.size() || !absl::SimpleAtod(rest.substr(0, digits), &number)) {
      return NotASpan(text);
    }
    const char letter = absl::ascii_tolower(static_cast<unsigned char>(rest[digits]));
    const absl::string_view letters = time ? "hms" : "ymwd";
    if (letters.find(letter) == absl::string_view::npos) return NotASpan(text);
    const absl::string_view name =
        letter == 'm' && !time ? absl::string_view("mo") : absl::string_view(&letter, 1);
    if (!Add(number, *FindUnit(name), &months, &span)) return NotASpan(text);
    rest.remove_prefix(digits + 1);
    any = true;
  }
  if (!any) return NotASpan(text);
  return CalendarSpan(months, span);
}

absl::Time ShiftMonths(absl::Time time, int64_t months) {
  if (months == 0 || time == absl::InfinitePast() || time == absl::InfiniteFuture()) return time;
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::CivilSecond from = absl::ToCivilSecond(time, utc);
  const absl::Duration fraction = time - absl::FromCivil(from, utc);
  const absl::CivilMonth month = absl::CivilMonth(from) + months;
  const absl::CivilDay last = absl::CivilDay(month + 1) - 1;
  const absl::CivilSecond to(month.year(), month.month(), std::min(from.day(), last.day()),
                             from.hour(), from.minute(), from.second());
  return absl::FromCivil(to, utc) + fraction;
}

}  // namespace

absl::StatusOr<CalendarSpan> CalendarSpan::Parse(absl::string_view text) {
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  if (!rest.empty() && (rest[0] == 'P' || rest[0] == 'p')) return ParseIso(text, rest.substr(1));
  int64_t months = 0;
  absl::Duration span;
  double number = 0;
  std::string name;
  if (rest.empty()) return NotASpan(text);
  while (!rest.empty()) {
    if (!TakePart(rest, &number, &name)) return NotASpan(text);
    const std::optional<Unit> unit = FindUnit(name);
    if (!unit || !Add(number, *unit, &months, &span)) return NotASpan(text);
    rest = absl::StripLeadingAsciiWhitespace(rest);
  }
  return CalendarSpan(months, span);
}

absl::Time CalendarSpan::Before(absl::Time time) const {
  return ShiftMonths(time, -months_) - rest_;
}

absl::Time CalendarSpan::After(absl::Time time) const { return ShiftMonths(time, months_) + rest_; }

std::string CalendarSpan::ToString() const {
  if (months_ == 0) return absl::FormatDuration(rest_);
  std::string months = absl::StrCat(months_, months_ == 1 ? " month" : " months");
  if (rest_ == absl::ZeroDuration()) return months;
  return absl::StrCat(months, " ", absl::FormatDuration(rest_));
}

}  // namespace tidemark::cursors
