#include "sqlite/timestamp_reader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cursors/boundary_rows.h"
#include "cursors/high_water_mark.h"
#include "cursors/time_text.h"
#include "sqlite/row_scan.h"
#include "sqlite/seen_rows.h"
#include "sqlite/source_time.h"

namespace tidemark::sqlite {
namespace {

using cursors::HighWaterMark;
using cursors::Precision;
using nlohmann::json;

std::string Micros(absl::Time time) { return FormatTime(time, Precision::kMicrosecond); }

std::optional<absl::Time> TimeIn(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  const auto time = cursors::ParseTime(found->get_ref<const std::string&>());
  if (!time.ok()) return std::nullopt;
  return time->time;
}

Precision PrecisionIn(const json& object) {
  const auto found = object.find("precision");
  if (found == object.end() || !found->is_string()) return Precision::kDay;
  return cursors::ParsePrecision(found->get_ref<const std::string&>()).value_or(Precision::kDay);
}

class TimestampReader {
 public:
  explicit TimestampReader(TableRun* run) : run_(*run), options_(run_.options.timestamp) {}

  absl::Status Read() {
    if (absl::Status s = FindColumns(); !s.ok()) return s;
    if (absl::Status s = ReadState(); !s.ok()) return s;
    PlanStages();
    if (absl::Status s = GoOnWithPass(); !s.ok()) return s;
    if (run_.full && !pass_) {
      if (absl::Status s = run_.sink.Truncate(run_.target); !s.ok()) return s;
    }
    for (size_t stage = pass_ ? pass_->stage : 0; stage < stages_.size(); ++stage) {
      if (absl::Status s = ReadStage(stage); !s.ok()) return s;
    }
    return Finish();
  }

 private:
  struct Pass {  // that was interrupted
    size_t stage = 0;
    ScanPosition position;
  };

  absl::Status FindColumns() {
    updated_ = *run_.table.FindColumn(options_.updated_at);
    if (options_.created_at.empty()) return absl::OkStatus();
    created_ = run_.table.FindColumn(options_.created_at);
    return absl::OkStatus();
  }

  absl::Status ReadState() {
    if (run_.state.is_null()) return absl::OkStatus();
    const json& state = run_.state;
    if (TextIn(state, "field") != options_.updated_at) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the state of table ", run_.table.name, " is of column ", TextIn(state, "field"),
          ", the configuration says ", options_.updated_at, ": read the table in full once"));
    }
    if (run_.full) return absl::OkStatus();
    if (state.contains("cursor")) {
      const std::optional<absl::Time> cursor = TimeIn(state, "cursor");
      if (!cursor) return run_.Damaged("has a cursor that is no time");
      mark_ = HighWaterMark(*cursor, PrecisionIn(state));
    }
    if (state.contains("seen")) {
      auto seen = SeenFromJson(state["seen"]);
      if (!seen) return run_.Damaged("has a damaged list of seen rows");
      old_seen_ = *std::move(seen);
    }
    return absl::OkStatus();
  }

  // Where a pass was interrupted, it goes on: rows that changed since have later times.
  absl::Status GoOnWithPass() {
    settled_ = options_.settle.Before(run_.now);
    if (run_.full || !run_.state.is_object() || !run_.state.contains("pass")) {
      return absl::OkStatus();
    }
    const json& pass = run_.state["pass"];
    const auto damaged = [this] { return run_.Damaged("has a damaged pass"); };
    if (!pass.is_object() || !pass.contains("stage") || !pass["stage"].is_number_unsigned() ||
        !pass.contains("position")) {
      return damaged();
    }
    std::optional<ScanPosition> position = ScanPosition::FromJson(pass["position"]);
    const std::optional<absl::Time> settled = TimeIn(pass, "settled");
    if (!position || !settled) return damaged();
    const absl::StatusOr<int64_t> version = run_.database.SchemaVersion();
    if (!version.ok()) return version.status();
    // Another schema may mean other places of rows; then the pass begins again.
    if (position->schema_version != *version || pass["stage"] >= stages_.size()) {
      return absl::OkStatus();
    }
    pass_ = Pass{pass["stage"].get<size_t>(), *std::move(position)};
    settled_ = *settled;
    if (const auto newest = TimeIn(pass, "newest"))
      newest_ = HighWaterMark(*newest, PrecisionIn(pass));
    return absl::OkStatus();
  }

  void PlanStages() {
    const absl::Time start = options_.start.value_or(absl::InfinitePast());
    edge_ = mark_.LowerEdge(options_.tolerance).value_or(start);
    if (run_.request.from() != absl::InfinitePast()) edge_ = run_.request.from();
    stages_ = TimedRows(run_.table, updated_, edge_, "");
    ScanRange untimed;
    untimed.where = UntimedRows(run_.table, updated_);
    if (created_) {
      const std::string name = Quoted(run_.table.columns[updated_].name);
      for (ScanRange& range :
           TimedRows(run_.table, *created_, edge_, absl::StrCat(name, " IS NULL AND "))) {
        stages_.push_back(std::move(range));
      }
      untimed.where = absl::StrCat("(", name, " IS NOT NULL AND ", untimed.where, ") OR (", name,
                                   " IS NULL AND ", UntimedRows(run_.table, *created_), ")");
    }
    stages_.push_back(std::move(untimed));
  }

  absl::Status ReadStage(size_t stage) {
    ScanPosition from;
    if (pass_ && pass_->stage == stage) from = pass_->position;
    RowScan scan(&run_.database, &run_.table, stages_[stage], std::move(from));
    uint64_t rows = 0;
    for (;;) {
      absl::StatusOr<bool> row = scan.Next();
      if (!row.ok()) return row.status();
      if (!*row) return absl::OkStatus();
      if (absl::Status s = Take(scan.row()); !s.ok()) return s;
      if (++rows % run_.page_rows() != 0) continue;
      json body = State(old_seen_);
      body["pass"] = {{"settled", Micros(settled_)},
                      {"stage", stage},
                      {"precision", std::string(PrecisionName(newest_.precision()))},
                      {"position", scan.position().ToJson()}};
      if (newest_.has_value()) body["pass"]["newest"] = Micros(newest_.time());
      if (absl::Status s = run_.Checkpoint(std::move(body), mark_.ToString()); !s.ok()) return s;
    }
  }

  // The time of a row that may move the cursor; nothing if it has none. Counts what is odd.
  std::optional<absl::Time> TimeOf(const std::vector<Value>& row) {
    const Value* value = &row[updated_];
    if (value->kind() == TIDEMARK_NULL && created_) value = &row[*created_];
    if (value->kind() == TIDEMARK_NULL) {
      newest_.ObserveMissing();
      return std::nullopt;
    }
    const auto time = ReadTime(*value, options_.zone);
    newest_.Observe(time, run_.now);
    if (!time.ok()) return std::nullopt;
    return time->time;
  }

  bool Wanted(absl::Time time) const {
    if (time < edge_ || time >= run_.request.until()) return false;
    const bool again = mark_.has_value() && time <= mark_.time();
    return !(options_.strictly_greater && options_.tolerance.zero() && again);
  }

  absl::Status Take(const std::vector<Value>& row) {
    const HighWaterMark before = newest_;
    const std::optional<absl::Time> time = TimeOf(row);
    if (time && !Wanted(*time)) {
      newest_ = before;  // A row outside of the run moves nothing and is not counted.
      return absl::OkStatus();
    }
    // Rows without a usable time are read in every run.
    const absl::Time place = time.value_or(absl::InfiniteFuture());
    const std::string digest = DigestOf(row);
    new_seen_.Add(place, digest);
    if (old_seen_.Contains(place, digest)) return absl::OkStatus();
    return run_.sink.Upsert(run_.target, row);
  }

  json State(const cursors::BoundaryRows& seen) const {
    json state = {{"field", options_.updated_at}};
    if (mark_.has_value()) {
      state["cursor"] = Micros(mark_.time());
      state["precision"] = std::string(PrecisionName(mark_.precision()));
    }
    if (!seen.rows().empty()) state["seen"] = ToJson(seen);
    return state;
  }

  absl::Status Finish() {
    if (newest_.has_value()) {
      absl::Time cursor = std::min(newest_.time(), settled_);
      if (mark_.has_value()) cursor = std::max(cursor, mark_.time());
      const Precision precision = mark_.has_value()
                                      ? std::max(mark_.precision(), newest_.precision())
                                      : newest_.precision();
      mark_ = HighWaterMark(cursor, precision);
    }
    const std::optional<absl::Time> edge = mark_.LowerEdge(options_.tolerance);
    if (edge) new_seen_.Forget(*edge);
    if (newest_.oddities().total() > 0) {
      absl::Status s = run_.Warn(absl::StrCat(newest_.oddities().Describe(options_.updated_at),
                                              "; they are delivered and do not move the cursor"));
      if (!s.ok()) return s;
    }
    return run_.Checkpoint(State(new_seen_), mark_.ToString(), edge.value_or(absl::InfinitePast()));
  }

  TableRun& run_;
  const TimestampOptions& options_;
  size_t updated_ = 0;
  std::optional<size_t> created_;
  HighWaterMark mark_;    // the cursor
  HighWaterMark newest_;  // of this pass
  absl::Time settled_;    // the cursor does not go beyond
  absl::Time edge_ = absl::InfinitePast();
  std::vector<ScanRange> stages_;
  std::optional<Pass> pass_;
  cursors::BoundaryRows old_seen_;
  cursors::BoundaryRows new_seen_;
};

}  // namespace

absl::Status ReadTimestamp(TableRun& run) { return TimestampReader(&run).Read(); }

}  // namespace tidemark::sqlite
