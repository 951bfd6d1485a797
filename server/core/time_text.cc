#include "core/time_text.h"

#include <cstring>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"

namespace tidemark {
namespace {

constexpr int64_t kDayUs = 86'400'000'000;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

size_t Copy(absl::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return text.size();
}

char* TwoDigits(char* out, int64_t value) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
  return out + 2;
}

// Year, month, day of a day number: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms",
// civil_from_days.
char* PutDate(int64_t days, char* out) {
  const int64_t z = days + 719'468;
  const int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const int64_t doe = z - era * 146'097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int64_t mp = (5 * doy + 2) / 153;
  const int64_t day = doy - (153 * mp + 2) / 5 + 1;
  const int64_t month = mp < 10 ? mp + 3 : mp - 9;
  const int64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  if (year >= 0 && year <= 9999) {
    out = TwoDigits(out, year / 100);
    out = TwoDigits(out, year % 100);
  } else {
    *out++ = year < 0 ? '-' : '+';
    out += Copy(absl::StrCat(year < 0 ? -year : year), out);
  }
  *out++ = '-';
  out = TwoDigits(out, month);
  *out++ = '-';
  return TwoDigits(out, day);
}

char* PutTimeOfDay(int64_t us, char* out) {
  const int64_t seconds = us / 1'000'000;
  int64_t fraction = us % 1'000'000;
  out = TwoDigits(out, seconds / 3600);
  *out++ = ':';
  out = TwoDigits(out, seconds / 60 % 60);
  *out++ = ':';
  out = TwoDigits(out, seconds % 60);
  *out++ = '.';
  for (int i = 5; i >= 0; --i) {
    out[i] = static_cast<char>('0' + fraction % 10);
    fraction /= 10;
  }
  return out + 6;
}

char* PutDateTime(int64_t us, char* out) {
  int64_t days = us / kDayUs;
  int64_t rest = us % kDayUs;
  if (rest < 0) {
    rest += kDayUs;
    --days;
  }
  out = PutDate(days, out);
  *out++ = 'T';
  return PutTimeOfDay(rest, out);
}

// ---- reading -----------------------------------------------------------------------------------

// Takes fixed pieces off the front of a text.
class Reader {
 public:
  explicit Reader(absl::string_view text) : rest_(text) {}

  bool Digits(size_t count, int64_t* value) {
    if (rest_.size() < count) return false;
    *value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!absl::ascii_isdigit(static_cast<unsigned char>(rest_[i]))) return false;
      *value = *value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }
  bool Char(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool AnyOf(absl::string_view chars) {
    if (rest_.empty() || chars.find(rest_[0]) == absl::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // The digits behind a point or comma as microseconds.
  bool Fraction(int64_t* us, bool* truncated) {
    size_t digits = 0;
    *us = 0;
    while (!rest_.empty() && absl::ascii_isdigit(static_cast<unsigned char>(rest_[0]))) {
      if (digits < 6) *us = *us * 10 + (rest_[0] - '0');
      if (digits >= 6 && rest_[0] != '0') *truncated = true;
      ++digits;
      rest_.remove_prefix(1);
    }
    for (size_t i = digits; i < 6; ++i) *us *= 10;
    return digits > 0;
  }
  bool empty() const { return rest_.empty(); }

 private:
  absl::string_view rest_;
};

struct Clockface {
  int64_t hour = 0, minute = 0, second = 0, us = 0;
};

bool ReadDate(Reader& reader, absl::CivilDay* day) {
  int64_t year = 0, month = 0, mday = 0;
  if (!reader.Digits(4, &year) || !reader.Char('-') || !reader.Digits(2, &month) ||
      !reader.Char('-') || !reader.Digits(2, &mday)) {
    return false;
  }
  *day = absl::CivilDay(year, month, mday);
  return day->year() == year && day->month() == month && day->day() == mday;
}

bool ReadClock(Reader& reader, Clockface* face, bool* truncated) {
  if (!reader.Digits(2, &face->hour) || !reader.Char(':') || !reader.Digits(2, &face->minute)) {
    return false;
  }
  if (reader.Char(':')) {
    if (!reader.Digits(2, &face->second)) return false;
    if (reader.AnyOf(".,") && !reader.Fraction(&face->us, truncated)) return false;
  }
  return face->minute <= 59 && face->second <= 60 &&
         (face->hour <= 23 ||
          (face->hour == 24 && face->minute == 0 && face->second == 0 && face->us == 0));
}

// "Z", "z", "+02:00", "+0200", "+02"; nothing: no zone.
bool ReadZone(Reader& reader, bool* had_zone, int64_t* offset_seconds) {
  *had_zone = false;
  *offset_seconds = 0;
  if (reader.empty()) return true;
  *had_zone = true;
  if (reader.AnyOf("Zz")) return reader.empty();
  const bool negative = reader.Char('-');
  if (!negative && !reader.Char('+')) return false;
  int64_t hours = 0, minutes = 0;
  if (!reader.Digits(2, &hours)) return false;
  if (!reader.empty()) {
    reader.Char(':');
    if (!reader.Digits(2, &minutes)) return false;
  }
  if (!reader.empty() || hours > 23 || minutes > 59) return false;
  *offset_seconds = (negative ? -1 : 1) * (hours * 3600 + minutes * 60);
  return true;
}

absl::Status Bad(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("\"", text.substr(0, 64), "\" is not ", what));
}

// The instant of a civil time in a zone; gaps are refused, folds chosen.
absl::StatusOr<int64_t> InZone(absl::string_view text, absl::CivilSecond civil, absl::TimeZone zone,
                               bool fold_later) {
  const absl::TimeZone::TimeInfo found = zone.At(civil);
  if (found.kind == absl::TimeZone::TimeInfo::SKIPPED) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", text, "\" does not exist in ", zone.name(),
                     ": the clock was set forward over it; give the time with an offset"));
  }
  const bool later = found.kind == absl::TimeZone::TimeInfo::REPEATED && fold_later;
  return absl::ToUnixMicros(later ? found.post : found.pre);
}

}  // namespace

size_t FormatUtcMicrosTo(int64_t us, char* out) {
  if (us == kMax) return Copy("infinity", out);
  if (us == kMin) return Copy("-infinity", out);
  char* end = PutDateTime(us, out);
  *end++ = 'Z';
  return static_cast<size_t>(end - out);
}
size_t FormatNaiveMicrosTo(int64_t us, char* out) {
  if (us == kMax) return Copy("infinity", out);
  if (us == kMin) return Copy("-infinity", out);
  return static_cast<size_t>(PutDateTime(us, out) - out);
}
size_t FormatDateTo(int64_t days, char* out) {
  if (days == kMax) return Copy("infinity", out);
  if (days == kMin) return Copy("-infinity", out);
  return static_cast<size_t>(PutDate(days, out) - out);
}
size_t FormatTimeOfDayTo(int64_t us, char* out) {
  return static_cast<size_t>(PutTimeOfDay(us, out) - out);
}

std::string FormatUtcMicros(int64_t us) {
  char text[40];
  return std::string(text, FormatUtcMicrosTo(us, text));
}
std::string FormatNaiveMicros(int64_t us) {
  char text[40];
  return std::string(text, FormatNaiveMicrosTo(us, text));
}
std::string FormatDate(int64_t days) {
  char text[40];
  return std::string(text, FormatDateTo(days, text));
}
std::string FormatTimeOfDay(int64_t us) {
  char text[40];
  return std::string(text, FormatTimeOfDayTo(us, text));
}
std::string FormatReportTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

std::string FormatReportTime(int64_t us) { return FormatReportTime(absl::FromUnixMicros(us)); }

absl::StatusOr<ParsedTime> ParseTime(absl::string_view text, absl::TimeZone zone, bool fold_later) {
  static constexpr absl::string_view kWhat =
      "a time; write for example 2024-01-15T10:30:00Z or 2024-01-15T12:30:00.5+02:00";
  ParsedTime parsed;
  Reader reader(text);
  absl::CivilDay day;
  if (!ReadDate(reader, &day)) return Bad(text, kWhat);
  Clockface face;
  int64_t offset_seconds = 0;
  if (reader.empty()) {
    parsed.date_only = true;
  } else if (!reader.AnyOf("Tt ") || !ReadClock(reader, &face, &parsed.truncated) ||
             !ReadZone(reader, &parsed.had_zone, &offset_seconds)) {
    return Bad(text, kWhat);
  }
  if (face.second == 60) {
    parsed.leap_second = true;
    face.second = 59;
    face.us = 999'999;
  }
  const absl::CivilSecond civil(day.year(), day.month(), day.day(), face.hour, face.minute,
                                face.second);
  const absl::StatusOr<int64_t> us =
      InZone(text, civil, parsed.had_zone ? absl::UTCTimeZone() : zone, fold_later);
  if (!us.ok()) return us.status();
  parsed.us = *us + face.us - offset_seconds * 1'000'000;
  return parsed;
}

absl::StatusOr<int64_t> ParseDate(absl::string_view text) {
  Reader reader(text);
  absl::CivilDay day;
  if (!ReadDate(reader, &day) || !reader.empty()) {
    return Bad(text, "a date; write for example 2024-01-15");
  }
  return day - absl::CivilDay(1970, 1, 1);
}

absl::StatusOr<int64_t> ParseTimeOfDay(absl::string_view text) {
  Reader reader(text);
  Clockface face;
  bool truncated = false;
  if (!ReadClock(reader, &face, &truncated) || !reader.empty() || face.second == 60) {
    return Bad(text, "a time of day; write for example 10:30:00");
  }
  return ((face.hour * 60 + face.minute) * 60 + face.second) * 1'000'000 + face.us;
}

}  // namespace tidemark
