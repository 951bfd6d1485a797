#include "cursors/time_text.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace tidemark::cursors {
namespace {

// Reads a text from its front.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) : rest_(text) {}

  // Exactly `digits` digits, or -1.
  int Number(size_t digits) {
    if (rest_.size() < digits) return -1;
    int n = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (!absl::ascii_isdigit(static_cast<unsigned char>(rest_[i]))) return -1;
      n = n * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return n;
  }
  bool Take(absl::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_[0]) == absl::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool done() const { return rest_.empty(); }
  absl::string_view rest() const { return rest_; }
  void Skip(size_t n) { rest_.remove_prefix(n); }

 private:
  absl::string_view rest_;
};

absl::Status NotATime(absl::string_view text, absl::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text.substr(0, 64), "\" is not a time: ", why));
}

// Digits after the point into `fraction`; the precision they stand for.
absl::StatusOr<Precision> ParseFraction(absl::string_view text, Scanner& in,
                                        absl::Duration* fraction) {
  size_t digits = 0;
  int64_t us = 0;
  while (digits < in.rest().size() &&
         absl::ascii_isdigit(static_cast<unsigned char>(in.rest()[digits]))) {
    if (digits < 6) us = us * 10 + (in.rest()[digits] - '0');
    ++digits;
  }
  if (digits == 0 || digits > 9) return NotATime(text, "its fraction has to have 1 to 9 digits");
  for (size_t i = digits; i < 6; ++i) us *= 10;
  in.Skip(digits);
  *fraction = absl::Microseconds(us);
  return digits <= 3 ? Precision::kMillisecond : Precision::kMicrosecond;
}

// "Z", "+hh", "+hhmm", "+hh:mm", or nothing (no value).
absl::StatusOr<std::optional<absl::Duration>> ParseOffset(absl::string_view text, Scanner& in) {
  if (in.done()) return std::nullopt;
  if (in.Take("Zz")) return absl::ZeroDuration();
  const int sign = in.rest()[0] == '-' ? -1 : 1;
  if (!in.Take("+-")) return NotATime(text, "something follows it");
  const int hours = in.Number(2);
  int minutes = 0;
  if (!in.done()) {
    in.Take(":");
    minutes = in.Number(2);
  }
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
    return NotATime(text, "its offset is not +hh:mm");
  }
  return sign * (absl::Hours(hours) + absl::Minutes(minutes));
}

absl::StatusOr<absl::Time> InZone(absl::string_view text, absl::CivilSecond civil,
                                  const ZoneRule& rule) {
  const absl::TimeZone::TimeInfo at = rule.zone.At(civil);
  switch (at.kind) {
    case absl::TimeZone::TimeInfo::UNIQUE:
      return at.pre;
    case absl::TimeZone::TimeInfo::SKIPPED:
      return NotATime(text, absl::StrCat("the clocks of ", rule.zone.name(), " skip it"));
    case absl::TimeZone::TimeInfo::REPEATED:
      break;
  }
  return rule.fold_later ? at.post : at.pre;
}

}  // namespace

absl::Duration UnitOf(Precision precision) {
  switch (precision) {
    case Precision::kDay:
      return absl::Hours(24);
    case Precision::kSecond:
      return absl::Seconds(1);
    case Precision::kMillisecond:
      return absl::Milliseconds(1);
    case Precision::kMicrosecond:
      break;
  }
  return absl::Microseconds(1);
}

namespace {
constexpr std::array<std::pair<absl::string_view, Precision>, 4> kNames = {{
    {"days", Precision::kDay},
    {"seconds", Precision::kSecond},
    {"milliseconds", Precision::kMillisecond},
    {"microseconds", Precision::kMicrosecond},
}};
}  // namespace

absl::string_view PrecisionName(Precision precision) {
  for (const auto& [name, value] : kNames) {
    if (value == precision) return name;
  }
  return "";
}

std::optional<Precision> ParsePrecision(absl::string_view name) {
  for (const auto& [known, value] : kNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

absl::Time Floor(absl::Time time, Precision precision) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return time;
  const absl::Duration since = time - absl::UnixEpoch();
  return absl::UnixEpoch() + absl::Floor(since, UnitOf(precision));
}

absl::StatusOr<SourceTime> ParseTime(absl::string_view text, const ZoneRule& rule) {
  Scanner in(absl::StripAsciiWhitespace(text));
  const int year = in.Number(4);
  const bool dashes = in.Take("-");
  const int month = in.Number(2);
  const bool dashes_again = in.Take("-");
  const int day = in.Number(2);
  if (year < 0 || month < 1 || day < 1 || !dashes || !dashes_again) {
    return NotATime(text, "it does not begin with YYYY-MM-DD");
  }
  const absl::CivilDay date(year, month, day);
  if (date.month() != month || date.day() != day) return NotATime(text, "there is no such day");

  SourceTime parsed;
  if (in.done()) {
    auto midnight = InZone(text, absl::CivilSecond(date), rule);
    if (!midnight.ok()) return midnight.status();
    parsed.time = *midnight;
    parsed.precision = Precision::kDay;
    return parsed;
  }
  if (!in.Take("Tt ")) return NotATime(text, "a T or a blank has to follow the day");
  const int hour = in.Number(2);
  const bool colon = in.Take(":");
  const int minute = in.Number(2);
  int second = 0;
  absl::Duration fraction;
  if (in.Take(":")) {
    second = in.Number(2);
    if (in.Take(".,")) {
      auto precision = ParseFraction(text, in, &fraction);
      if (!precision.ok()) return precision.status();
      parsed.precision = *precision;
    }
  }
  if (hour < 0 || hour > 23 || !colon || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return NotATime(text, "its time of day is not hh:mm:ss");
  }
  if (second == 60) {  // A leap second: the last microsecond before it keeps the order.
    second = 59;
    fraction = absl::Microseconds(999'999);
  }
  auto offset = ParseOffset(text, in);
  if (!offset.ok()) return offset.status();
  if (!in.done()) return NotATime(text, "something follows it");
  const absl::CivilSecond civil(year, month, day, hour, minute, second);
  parsed.had_zone = offset->has_value();
  if (offset->has_value()) {
    parsed.time = absl::FromCivil(civil, absl::UTCTimeZone()) - **offset + fraction;
    return parsed;
  }
  auto instant = InZone(text, civil, rule);
  if (!instant.ok()) return instant.status();
  parsed.time = *instant + fraction;
  return parsed;
}

std::string FormatTime(absl::Time time, Precision precision) {
  constexpr absl::string_view kFormats[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ",
                                            "%Y-%m-%dT%H:%M:%E3SZ", "%Y-%m-%dT%H:%M:%E6SZ"};
  return absl::FormatTime(kFormats[static_cast<int>(precision)], time, absl::UTCTimeZone());
}

absl::StatusOr<absl::TimeZone> ParseZone(absl::string_view name) {
  absl::TimeZone zone;
  if (absl::LoadTimeZone(std::string(name), &zone)) return zone;
  Scanner in(name);
  auto offset = ParseOffset(name, in);
  if (!offset.ok() || !offset->has_value() || !in.done()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", name, "\" is not a time zone: write a name like Europe/Berlin, or +02:00"));
  }
  return absl::FixedTimeZone(static_cast<int>(absl::ToInt64Seconds(**offset)));
}

}  // namespace tidemark::cursors
