// Reads what changed since a time.
#ifndef TIDEMARK_REST_TIMESTAMP_CURSOR_H_
#define TIDEMARK_REST_TIMESTAMP_CURSOR_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cursors/boundary_rows.h"
#include "cursors/calendar_span.h"
#include "cursors/high_water_mark.h"
#include "cursors/size_ladder.h"
#include "nlohmann/json.hpp"
#include "rest/table_cursor.h"

namespace tidemark::rest {

// State: {"cursor": "2024-01-15T10:30:00Z", "seen": {digest: time}}. `seen` holds the rows at the
// cursor itself, of deleted records all that are read again. Confined to one thread.
class TimestampCursor final : public TableCursor {
 public:
  // DATA_LOSS if the state cannot be read.
  static absl::StatusOr<std::unique_ptr<TableCursor>> Create(const IncrementalOptions& options,
                                                             const CursorRun& run);

  bool NextRange() override;
  void AddTo(Variables* variables, Parameters* parameters) const override;
  absl::StatusOr<Verdict> Observe(const JsonRecord& record, absl::string_view text) override;
  void RangeRead() override;
  bool ResumesWithinRange() const override { return options_.ascending; }
  nlohmann::json State() const override;
  std::string HighWater() const override { return mark_.ToString(); }
  absl::Time Watermark() const override;
  bool Shrink() override;
  bool shrinkable() const override { return windows_ && !windows_->smallest(); }
  std::string Oddities() const override;
  std::string Describe() const override;

 private:
  TimestampCursor(const IncrementalOptions& options, const CursorRun& run)
      : options_(options), run_(run) {}

  absl::Status ReadState();
  void Start();
  // The time of a record, or nothing; counts what is odd.
  std::optional<cursors::SourceTime> TimeOf(const JsonRecord& record);
  // Whether a record of that time is asked for.
  bool Wanted(absl::Time time) const;
  // Whether an equal record of the same time was delivered before; remembers it where it may come
  // again.
  bool SeenBefore(absl::Time time, absl::string_view text);
  // Where ranges begin in requests, in the precision of the API.
  std::string Asked(absl::Time time) const;

  const IncrementalOptions& options_;
  const CursorRun run_;
  cursors::HighWaterMark mark_;
  std::optional<absl::Time> edge_;      // inclusive; nothing: from the start
  std::optional<absl::Time> old_mark_;  // of the earlier run
  std::optional<absl::Time> newest_in_order_;
  cursors::BoundaryRows seen_;  // of this run and the earlier one
  std::optional<cursors::SizeLadder<cursors::CalendarSpan>> windows_;
  bool started_ = false;
  absl::Time range_start_ = absl::InfinitePast();
  absl::Time range_end_ = absl::InfiniteFuture();
};

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_TIMESTAMP_CURSOR_H_
