// The time up to which a source was read.
#ifndef TIDEMARK_CURSORS_HIGH_WATER_MARK_H_
#define TIDEMARK_CURSORS_HIGH_WATER_MARK_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cursors/calendar_span.h"
#include "cursors/time_text.h"

namespace tidemark::cursors {

// The largest time seen. It only grows, and no row without a usable time moves it: a time that is
// missing, unreadable or in the future would make the next run skip rows. Such rows are delivered
// all the same; they are counted here. Thread-compatible.
class HighWaterMark {
 public:
  // How far a source's clock may be ahead of ours before its times count as future ones.
  static constexpr absl::Duration kClockSkew = absl::Minutes(5);

  struct Oddities {
    uint64_t missing = 0;
    uint64_t invalid = 0;
    uint64_t future = 0;
    uint64_t total() const { return missing + invalid + future; }
    // "3 rows without updatedAt, 1 row with an unreadable one"
    std::string Describe(absl::string_view field) const;
  };

  HighWaterMark() = default;
  HighWaterMark(absl::Time time, Precision precision) : time_(time), precision_(precision) {}

  // A row of this time. Returns whether the mark moved.
  bool Observe(const SourceTime& row, absl::Time now);
  // The same of a text that was read as a time, or could not be.
  bool Observe(const absl::StatusOr<SourceTime>& row, absl::Time now) {
    if (row.ok()) return Observe(*row, now);
    ObserveInvalid();
    return false;
  }
  void ObserveMissing() { ++oddities_.missing; }
  void ObserveInvalid() { ++oddities_.invalid; }

  bool has_value() const { return time_.has_value(); }
  // REQUIRES: has_value().
  absl::Time time() const { return *time_; }
  // The finest unit seen in the times.
  Precision precision() const { return precision_; }
  const Oddities& oddities() const { return oddities_; }

  // Where the next run begins: this mark, cut to its precision, less the tolerance. It is an
  // inclusive edge: rows that share the mark's value may still come. Nothing before the first run.
  std::optional<absl::Time> LowerEdge(const CalendarSpan& tolerance) const;
  // The mark in its precision, for requests, states and reports; empty without one.
  std::string ToString() const;

 private:
  std::optional<absl::Time> time_;
  Precision precision_ = Precision::kDay;
  Oddities oddities_;
};

}  // namespace tidemark::cursors

#endif  // TIDEMARK_CURSORS_HIGH_WATER_MARK_H_
