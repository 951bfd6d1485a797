#include "cursors/high_water_mark.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark::cursors {
namespace {

std::string Rows(uint64_t n, absl::string_view rest) {
  return absl::StrCat(n, n == 1 ? " row " : " rows ", rest);
}

}  // namespace

std::string HighWaterMark::Oddities::Describe(absl::string_view field) const {
  std::vector<std::string> parts;
  if (missing > 0) parts.push_back(Rows(missing, absl::StrCat("without ", field)));
  if (invalid > 0) parts.push_back(Rows(invalid, absl::StrCat("with an unreadable ", field)));
  if (future > 0) parts.push_back(Rows(future, absl::StrCat("whose ", field, " is in the future")));
  return absl::StrJoin(parts, ", ");
}

bool HighWaterMark::Observe(const SourceTime& row, absl::Time now) {
  if (row.time > now + kClockSkew) {
    ++oddities_.future;
    return false;
  }
  precision_ = std::max(precision_, row.precision);
  if (time_.has_value() && row.time <= *time_) return false;
  time_ = row.time;
  return true;
}

std::optional<absl::Time> HighWaterMark::LowerEdge(const CalendarSpan& tolerance) const {
  if (!time_.has_value()) return std::nullopt;
  return tolerance.Before(Floor(*time_, precision_));
}

std::string HighWaterMark::ToString() const {
  return time_.has_value() ? FormatTime(*time_, precision_) : "";
}

}  // namespace tidemark::cursors
