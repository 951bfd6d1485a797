#include "rest/timestamp_cursor.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cursors/text_digest.h"
#include "cursors/time_text.h"
#include "rest/request_time.h"

namespace tidemark::rest {

using nlohmann::json;

absl::StatusOr<std::unique_ptr<TableCursor>> TimestampCursor::Create(
    const IncrementalOptions& options, const CursorRun& run) {
  auto cursor = absl::WrapUnique(new TimestampCursor(options, run));
  if (absl::Status s = cursor->ReadState(); !s.ok()) return s;
  cursor->Start();
  return cursor;
}

absl::Status TimestampCursor::ReadState() {
  if (!run_.state.contains("cursor")) return absl::OkStatus();
  const json& text = run_.state["cursor"];
  const auto time = cursors::ParseTime(text.is_string() ? text.get<std::string>() : "");
  if (!time.ok()) return absl::DataLossError("its cursor is not a time");
  mark_ = cursors::HighWaterMark(time->time, time->precision);
  const json seen = run_.state.value("seen", json::object());
  if (!seen.is_object()) return absl::DataLossError("its list of seen rows is not an object");
  for (const auto& item : seen.items()) {
    const auto at =
        cursors::ParseTime(item.value().is_string() ? item.value().get<std::string>() : "");
    if (!at.ok()) return absl::DataLossError("a seen row has no time");
    seen_.Add(at->time, item.key());
  }
  return absl::OkStatus();
}

void TimestampCursor::Start() {
  edge_ = mark_.LowerEdge(options_.tolerance);
  if (mark_.has_value()) old_mark_ = mark_.time();
  if (!edge_ && options_.start) edge_ = options_.start;
  if (run_.from != absl::InfinitePast()) edge_ = run_.from;
  if (!options_.window) return;
  std::vector<cursors::CalendarSpan> sizes = {*options_.window};
  if (options_.smallest_window.After(run_.now) < options_.window->After(run_.now)) {
    sizes.push_back(options_.smallest_window);
  }
  windows_.emplace(std::move(sizes));
}

bool TimestampCursor::NextRange() {
  if (!windows_) {
    if (started_) return false;
    range_start_ = edge_.value_or(absl::InfinitePast());
    range_end_ = run_.until;
    started_ = true;
    return true;
  }
  const absl::Time end = std::min(run_.until, run_.now);
  range_start_ = started_ ? range_end_ : edge_.value_or(run_.now);
  if (started_ && range_start_ >= end) return false;
  range_end_ = std::min(windows_->size().After(range_start_), end);
  started_ = true;
  return true;
}

bool TimestampCursor::Shrink() {
  if (!windows_ || !windows_->Shrink()) return false;
  range_end_ = std::min(windows_->size().After(range_start_), range_end_);
  return true;
}

void TimestampCursor::RangeRead() {
  if (windows_) windows_->Answered();
}

std::string TimestampCursor::Asked(absl::Time time) const {
  // Before the first row nothing is known of the API's precision; seconds are understood by most.
  const cursors::Precision precision = PrecisionOfFormat(
      options_.format, mark_.has_value() ? mark_.precision() : cursors::Precision::kSecond);
  if (options_.exclusive_parameter) time -= cursors::UnitOf(precision);
  return FormatRequestTime(time, options_.format, precision);
}

void TimestampCursor::AddTo(Variables* variables, Parameters* parameters) const {
  if (range_start_ != absl::InfinitePast()) {
    (*variables)["cursor"] = Asked(range_start_);
    if (!options_.parameter.empty()) {
      parameters->emplace_back(options_.parameter, Asked(range_start_));
    }
  }
  if (range_end_ != absl::InfiniteFuture()) {
    const cursors::Precision precision =
        PrecisionOfFormat(options_.format, cursors::Precision::kSecond);
    const std::string until = FormatRequestTime(range_end_, options_.format, precision);
    (*variables)["until"] = until;
    if (!options_.until_parameter.empty()) {
      parameters->emplace_back(options_.until_parameter, until);
    }
  }
}

std::optional<cursors::SourceTime> TimestampCursor::TimeOf(const JsonRecord& record) {
  const auto given = [&record](const std::string& name) -> const JsonValue* {
    const JsonValue* value = name.empty() ? nullptr : record.Find(name);
    return value == nullptr || value->kind == JsonValue::Kind::kNull ? nullptr : value;
  };
  const JsonValue* value = given(options_.field);
  if (value == nullptr) value = given(options_.created_at_field);
  if (value == nullptr) {
    mark_.ObserveMissing();
    return std::nullopt;
  }
  const auto time = ReadTime(*value, options_.unit, options_.zone);
  if (time.ok()) return *time;
  mark_.ObserveInvalid();
  return std::nullopt;
}

bool TimestampCursor::Wanted(absl::Time time) const {
  if (time >= run_.until || time < run_.from) return false;
  if (edge_ && !options_.filters && time < *edge_) return false;
  const bool at_or_before = old_mark_ && time <= *old_mark_;
  return !(options_.strictly_greater && options_.tolerance.zero() && at_or_before);
}

bool TimestampCursor::SeenBefore(absl::Time time, absl::string_view text) {
  // What a buffer reads again is delivered again, so that the destination can tell late rows; a
  // deletion would undo a row that came back since.
  if (!run_.deletes && !options_.tolerance.zero()) return false;
  if (!run_.deletes && mark_.has_value() && time < mark_.time()) return false;
  const std::string digest = cursors::TextDigest(text);
  if (seen_.Contains(time, digest)) return true;
  seen_.Add(time, digest);
  return false;
}

absl::StatusOr<TableCursor::Verdict> TimestampCursor::Observe(const JsonRecord& record,
                                                              absl::string_view text) {
  const std::optional<cursors::SourceTime> time = TimeOf(record);
  if (!time) return Verdict::kDeliver;
  if (options_.ascending && newest_in_order_ && time->time < *newest_in_order_) {
    return absl::FailedPreconditionError(
        absl::StrCat("the cursor goes backwards: ", options_.field, " ",
                     cursors::FormatTime(time->time, time->precision), " came after ",
                     cursors::FormatTime(*newest_in_order_, time->precision),
                     "; take incremental.ascending out if the API does not order its records"));
  }
  newest_in_order_ = std::max(newest_in_order_.value_or(time->time), time->time);
  if (!Wanted(time->time)) return Verdict::kSkip;
  if (SeenBefore(time->time, text)) return Verdict::kSkip;
  if (time->time <= options_.settle.Before(run_.now) || options_.settle.zero()) {
    if (mark_.Observe(*time, run_.now) && !run_.deletes) seen_.Forget(mark_.time());
  }
  return Verdict::kDeliver;
}

json TimestampCursor::State() const {
  json state = {{"type", "timestamp"}};
  if (!mark_.has_value()) return state;
  state["cursor"] = mark_.ToString();
  cursors::BoundaryRows kept = seen_;
  kept.Forget(run_.deletes ? *mark_.LowerEdge(options_.tolerance) : mark_.time());
  json seen = json::object();
  for (const auto& [time, digest] : kept.rows()) {
    if (time > mark_.time()) continue;  // A future one: it comes again anyway.
    seen[digest] = cursors::FormatTime(time, cursors::Precision::kMicrosecond);
  }
  if (!seen.empty()) state["seen"] = std::move(seen);
  return state;
}

absl::Time TimestampCursor::Watermark() const {
  return mark_.LowerEdge(options_.tolerance).value_or(absl::InfinitePast());
}

std::string TimestampCursor::Oddities() const { return mark_.oddities().Describe(options_.field); }

std::string TimestampCursor::Describe() const {
  if (!edge_) return absl::StrCat("everything, cursor ", options_.field);
  return absl::StrCat(
      options_.field, options_.strictly_greater ? " > " : " >= ", Asked(*edge_),
      mark_.has_value() ? absl::StrCat(", times in ", cursors::PrecisionName(mark_.precision()))
                        : "",
      options_.tolerance.zero() ? "" : absl::StrCat(", buffer ", options_.tolerance.ToString()));
}

}  // namespace tidemark::rest
