#include "rest/table_cursor.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cursors/step_range.h"
#include "rest/timestamp_cursor.h"

namespace tidemark::rest {
namespace {

using nlohmann::json;
using CursorType = IncrementalOptions::Type;

// Everything, every time.
class FullCursor final : public TableCursor {
 public:
  bool NextRange() override { return !std::exchange(started_, true); }
  void AddTo(Variables*, Parameters*) const override {}
  absl::StatusOr<Verdict> Observe(const JsonRecord&, absl::string_view) override {
    return Verdict::kDeliver;
  }
  json State() const override { return {{"type", "full"}}; }
  std::string Describe() const override { return "everything"; }

 private:
  bool started_ = false;
};

// Everything behind a key that only grows. State: {"cursor": "the last key"}.
class KeysetCursor final : public TableCursor {
 public:
  KeysetCursor(const IncrementalOptions& options, std::optional<std::string> cursor)
      : options_(options), cursor_(std::move(cursor)) {}

  bool NextRange() override { return !std::exchange(started_, true); }
  void AddTo(Variables* variables, Parameters*) const override {
    if (cursor_) (*variables)["cursor"] = *cursor_;
  }
  std::optional<std::string> After() const override { return cursor_; }
  absl::StatusOr<Verdict> Observe(const JsonRecord& record, absl::string_view) override {
    const JsonValue* value = record.Find(options_.field);
    const bool usable = value != nullptr && (value->kind == JsonValue::Kind::kNumber ||
                                             value->kind == JsonValue::Kind::kString);
    if (usable) cursor_ = std::string(value->text);
    return Verdict::kDeliver;
  }
  bool ResumesWithinRange() const override { return true; }
  json State() const override {
    json state = {{"type", "keyset"}};
    if (cursor_) state["cursor"] = *cursor_;
    return state;
  }
  std::string HighWater() const override { return cursor_.value_or(""); }
  std::string Describe() const override {
    return cursor_ ? absl::StrCat(options_.field, " > ", *cursor_)
                   : absl::StrCat("everything, cursor ", options_.field);
  }

 private:
  const IncrementalOptions& options_;
  std::optional<std::string> cursor_;
  bool started_ = false;
};

// Ranges of numbers, one after the other. State: {"cursor": the largest number read}.
class StepCursor final : public TableCursor {
 public:
  StepCursor(const IncrementalOptions& options, std::optional<int64_t> cursor)
      : options_(options),
        range_({.start = options.step_start,
                .width = options.step_width,
                .empty_to_stop = options.empty_steps,
                .limit = options.step_limit},
               cursor) {}

  bool NextRange() override {
    largest_.reset();
    return !range_.done();
  }
  void AddTo(Variables* variables, Parameters* parameters) const override {
    const auto add = [&](const char* name, const std::string& parameter, int64_t number) {
      (*variables)[name] = absl::StrCat(number);
      if (!parameter.empty()) parameters->emplace_back(parameter, absl::StrCat(number));
    };
    add("start", options_.start_parameter, range_.first());
    add("end", options_.end_parameter, range_.last());
  }
  absl::StatusOr<Verdict> Observe(const JsonRecord& record, absl::string_view) override {
    const JsonValue* value = record.Find(options_.field);
    int64_t number = 0;
    if (value == nullptr || !absl::SimpleAtoi(value->text, &number)) {
      return absl::FailedPreconditionError(
          absl::StrCat("a record has no whole number as its ", options_.field));
    }
    // An API that ignores the range would be asked without an end.
    if (number < range_.first() || number > range_.last()) {
      return absl::FailedPreconditionError(absl::StrCat("a record has the ", options_.field, " ",
                                                        number, ", but ", range_.first(), " to ",
                                                        range_.last(), " was asked for"));
    }
    largest_ = std::max(largest_.value_or(number), number);
    return Verdict::kDeliver;
  }
  void RangeRead() override { range_.Advance(largest_); }
  json State() const override {
    json state = {{"type", "step"}};
    if (range_.cursor()) state["cursor"] = *range_.cursor();
    return state;
  }
  std::string HighWater() const override {
    return range_.cursor() ? absl::StrCat(*range_.cursor()) : "";
  }
  std::string Describe() const override {
    return absl::StrCat(options_.field, " from ", range_.first(), " in steps of ",
                        options_.step_width);
  }

 private:
  const IncrementalOptions& options_;
  cursors::StepRange range_;
  std::optional<int64_t> largest_;
};

absl::string_view TypeName(CursorType type) {
  constexpr absl::string_view kNames[] = {"full", "timestamp", "keyset", "step"};
  return kNames[static_cast<int>(type)];
}

absl::StatusOr<std::unique_ptr<TableCursor>> MakeKeyset(const IncrementalOptions& options,
                                                        const json& state) {
  if (!state.contains("cursor")) return std::make_unique<KeysetCursor>(options, std::nullopt);
  if (!state["cursor"].is_string()) return absl::DataLossError("its cursor is not a text");
  return std::make_unique<KeysetCursor>(options, state["cursor"].get<std::string>());
}

absl::StatusOr<std::unique_ptr<TableCursor>> MakeStep(const IncrementalOptions& options,
                                                      const json& state) {
  if (!state.contains("cursor")) return std::make_unique<StepCursor>(options, std::nullopt);
  if (!state["cursor"].is_number_integer()) {
    return absl::DataLossError("its cursor is not a whole number");
  }
  return std::make_unique<StepCursor>(options, state["cursor"].get<int64_t>());
}

}  // namespace

absl::StatusOr<std::unique_ptr<TableCursor>> MakeCursor(const IncrementalOptions& options,
                                                        const CursorRun& run) {
  if (!run.state.is_null()) {
    const auto type = run.state.find("type");
    if (type == run.state.end() || !type->is_string()) {
      return absl::DataLossError("it does not say of what type its cursor is");
    }
    if (options.type != CursorType::kFull && *type != "full" &&
        *type != std::string(TypeName(options.type))) {
      return absl::FailedPreconditionError(
          absl::StrCat("it is of type ", type->get<std::string>(), ", the configuration says ",
                       TypeName(options.type), ": read the table in full once"));
    }
  }
  const json state = run.state.is_null() ? json::object() : run.state;
  switch (options.type) {
    case CursorType::kTimestamp:
      return TimestampCursor::Create(options, run);
    case CursorType::kKeyset:
      return MakeKeyset(options, state);
    case CursorType::kStep:
      return MakeStep(options, state);
    case CursorType::kFull:
      break;
  }
  return std::make_unique<FullCursor>();
}

}  // namespace tidemark::rest
