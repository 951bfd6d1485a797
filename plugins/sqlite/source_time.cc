#include "sqlite/source_time.h"

#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace tidemark::sqlite {
namespace {

constexpr double kFirstJulianDay = 1721059.5;
constexpr double kLastJulianDay = 5373484.5;
constexpr double kJulianDayOfEpoch = 2440587.5;
// An offset or a zone moves the day in a text by at most one, and a day more for good measure.
constexpr absl::Duration kTextSlack = absl::Hours(48);
constexpr absl::string_view kDatePattern = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*";

absl::Status NotATime() { return absl::InvalidArgumentError("a number that is no time"); }

absl::StatusOr<cursors::SourceTime> FromInteger(int64_t value) {
  const uint64_t size =
      value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  cursors::SourceTime time;
  time.had_zone = true;
  if (size < 100'000'000'000) {
    time.time = absl::FromUnixSeconds(value);
    time.precision = cursors::Precision::kSecond;
  } else if (size < 100'000'000'000'000) {
    time.time = absl::FromUnixMillis(value);
    time.precision = cursors::Precision::kMillisecond;
  } else if (size < 100'000'000'000'000'000) {
    time.time = absl::FromUnixMicros(value);
    time.precision = cursors::Precision::kMicrosecond;
  } else {
    return NotATime();
  }
  return time;
}

absl::StatusOr<cursors::SourceTime> FromReal(double value) {
  if (!std::isfinite(value) || std::fabs(value) >= 1e17) return NotATime();
  cursors::SourceTime time;
  time.had_zone = true;
  time.precision = cursors::Precision::kMillisecond;
  if (value >= kFirstJulianDay && value < kLastJulianDay) {
    // A double holds a Julian day to about 40 us; SQLite itself rounds to milliseconds.
    time.time = absl::UnixEpoch() +
                absl::Milliseconds(std::llround((value - kJulianDayOfEpoch) * 86'400'000));
    return time;
  }
  const double size = std::fabs(value);
  const double per_second = size < 1e11 ? 1 : size < 1e14 ? 1e3 : 1e6;
  time.precision = cursors::Precision::kMicrosecond;
  time.time = absl::FromUnixMicros(std::llround(value / per_second * 1e6));
  return time;
}

}  // namespace

absl::StatusOr<cursors::SourceTime> ReadTime(const Value& value, const cursors::ZoneRule& rule) {
  switch (value.kind()) {
    case TIDEMARK_INT64:
      return FromInteger(value.raw().u.i64);
    case TIDEMARK_DOUBLE:
      return FromReal(value.raw().u.f64);
    case TIDEMARK_STRING:
      return cursors::ParseTime(value.data(), rule);
    default:
      return absl::InvalidArgumentError("a blob is no time");
  }
}

std::vector<ScanRange> TimedRows(const TableDefinition& table, size_t column, absl::Time edge,
                                 absl::string_view condition) {
  const std::string name = Quoted(table.columns[column].name);
  std::vector<ScanRange> ranges;
  // Numbers do not stay numbers in a column of TEXT affinity. The unit may differ from row to row;
  // seconds are the smallest numbers of any time.
  if (table.columns[column].affinity != Affinity::kText) {
    ScanRange numbers;
    numbers.order_by = {column};
    numbers.where =
        absl::StrCat(condition, "typeof(", name, ") IN ('integer', 'real')", " AND NOT (typeof(",
                     name, ") = 'real' AND ", name, " >= 1721059.5 AND ", name, " < 5373484.5)");
    if (edge != absl::InfinitePast()) {
      absl::StrAppend(&numbers.where, " AND ", name, " >= ?1");
      // Before 1970 a larger unit is a smaller number: then every number is looked at.
      const int64_t seconds = absl::ToUnixSeconds(edge);
      numbers.parameters.push_back(seconds > 0 ? Cell::Integer(seconds) : Cell::Real(-1e17));
    }
    ranges.push_back(std::move(numbers));
  }
  ScanRange texts;
  texts.order_by = {column};
  texts.where = absl::StrCat(condition, "typeof(", name, ") = 'text' AND ", name, " GLOB '",
                             kDatePattern, "'");
  if (edge != absl::InfinitePast()) {
    absl::StrAppend(&texts.where, " AND ", name, " >= ?1");
    texts.parameters.push_back(
        Cell::Text(cursors::FormatTime(edge - kTextSlack, cursors::Precision::kDay)));
  }
  ranges.push_back(std::move(texts));
  return ranges;
}

std::string UntimedRows(const TableDefinition& table, size_t column) {
  const std::string name = Quoted(table.columns[column].name);
  return absl::StrCat("(", name, " IS NULL OR typeof(", name, ") = 'blob' OR (typeof(", name,
                      ") = 'text' AND ", name, " NOT GLOB '", kDatePattern, "') OR (typeof(", name,
                      ") = 'real' AND ", name, " >= 1721059.5 AND ", name, " < 5373484.5))");
}

}  // namespace tidemark::sqlite
