#include "control/conformance.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "control/table_model.h"

namespace tidemark {
namespace {

constexpr uint64_t kTrials = 10;  // checkpoints and cancellations that are tried, evenly spread

// Where a run is ended before its own end.
struct Stop {
  uint64_t checkpoint = 0;  // after this many checkpoints; 0: never
  uint64_t events = 0;      // after this many events; 0: never
};

// One Update and what it left.
struct UpdateRun {
  uint64_t rows = 0;
  uint64_t events = 0;
  uint64_t checkpoints = 0;
  std::map<std::string, StateEntry> states;  // by entry name, of the last checkpoints
  std::optional<absl::Status> finished;
  std::vector<TableRows> sent;
};

class Conformance {
 public:
  explicit Conformance(Engine& engine) : engine_(engine) {}

  std::vector<ConformanceResult> Run() {
    Try("the configuration is accepted by Check", [this] { return Checked(); });
    Try("the schema is the same each time", [this] { return SameSchema(); });
    if (!Try("a run ends with success and sends what it says", [this] { return PlainRun(); })) {
      return std::move(results_);
    }
    Try("a repeated run gives the same tables", [this] { return Repeated(); });
    Try("resuming from every checkpoint gives the same tables", [this] { return Resumed(); });
    Try("cancelling anywhere ends the run", [this] { return Cancelled(); });
    Try("a damaged state is refused with words", [this] { return DamagedState(); });
    Try("rows read beside a sync are those of a run", [this] { return Reads(); });
    return std::move(results_);
  }

 private:
  using Result = absl::StatusOr<std::string>;  // the detail, or the problem

  bool Try(const char* rule, const std::function<Result()>& check) {
    const Result result = check();
    results_.push_back({rule, result.ok() ? "" : std::string(result.status().message()),
                        result.ok() ? *result : ""});
    return result.ok();
  }

  static absl::Status Broken(const std::string& text) { return absl::InternalError(text); }

  absl::StatusOr<std::unique_ptr<ChangeSource>> Begin(
      const std::map<std::string, StateEntry>& states, TableModel* model) {
    absl::StatusOr<std::unique_ptr<ChangeSource>> source = engine_.OpenSource();
    if (!source.ok()) return source;
    absl::StatusOr<std::vector<TableSchema>> schema = (*source)->Schema();
    if (!schema.ok()) return schema.status();
    UpdateStart start;
    start.connection = engine_.connection().name;
    start.sync_id = "conformance";
    for (size_t i = 0; i < schema->size(); ++i) {
      model->Define(i, (*schema)[i]);
      start.selections.push_back({SelectionMode::kIncremental, {}});
    }
    for (const auto& [name, entry] : states) start.states.push_back(entry);
    if (absl::Status status = (*source)->Start(start); !status.ok()) return status;
    return source;
  }

  // Runs on top of what `model` holds.
  absl::StatusOr<UpdateRun> Update(const std::map<std::string, StateEntry>& states,
                                   const Stop& stop, TableModel* model) {
    absl::StatusOr<std::unique_ptr<ChangeSource>> source = Begin(states, model);
    if (!source.ok()) return source.status();
    UpdateRun run;
    run.states = states;
    while (true) {
      absl::StatusOr<std::optional<SourceEvent>> event = (*source)->Next(absl::InfiniteFuture());
      if (!event.ok()) return event.status();
      if (!event->has_value()) continue;
      ++run.events;
      if (absl::Status status = Take(**event, model, &run); !status.ok()) return status;
      if (run.finished.has_value()) break;
      if ((stop.checkpoint > 0 && run.checkpoints >= stop.checkpoint) ||
          (stop.events > 0 && run.events >= stop.events)) {
        (*source)->Cancel();
        return run;
      }
    }
    Acknowledgement all;
    all.durable = run.checkpoints;
    (*source)->Acknowledge(all);
    if (absl::Status status = (*source)->Close(); !status.ok()) return status;
    return run;
  }

  static absl::Status Take(const SourceEvent& event, TableModel* model, UpdateRun* run) {
    if (const auto* batch = std::get_if<ChangeBatch>(&event); batch != nullptr) {
      run->rows += batch->row_count;
      if (!model->Apply(*batch)) return Broken("a batch names a table that is not defined");
    } else if (const auto* table = std::get_if<TableDefinition>(&event); table != nullptr) {
      model->Define(table->index, table->table);
    } else if (const auto* checkpoint = std::get_if<Checkpoint>(&event); checkpoint != nullptr) {
      ++run->checkpoints;
      for (StateEntry entry : checkpoint->states) {
        entry.version = run->checkpoints;
        run->states[EntryName(entry)] = std::move(entry);
      }
    } else if (const auto* finished = std::get_if<Finished>(&event); finished != nullptr) {
      run->finished = finished->status;
      run->sent = finished->sent;
    }
    return absl::OkStatus();
  }

  Result Checked() {
    if (absl::Status status = engine_.Check(); !status.ok()) return status;
    return "ok";
  }

  Result SameSchema() {
    absl::StatusOr<std::vector<TableSchema>> first = engine_.Schema();
    if (!first.ok()) return first.status();
    absl::StatusOr<std::vector<TableSchema>> second = engine_.Schema();
    if (!second.ok()) return second.status();
    if (*first != *second) return Broken("two calls of Schema gave different tables");
    return absl::StrCat(first->size(), " tables");
  }

  Result PlainRun() {
    absl::StatusOr<UpdateRun> run = Update({}, {}, &whole_);
    if (!run.ok()) return run.status();
    whole_run_ = *std::move(run);
    if (!whole_run_.finished->ok()) return *whole_run_.finished;
    uint64_t sent = 0;
    for (const TableRows& table : whole_run_.sent) sent += table.rows;
    if (!whole_run_.sent.empty() && sent != whole_run_.rows) {
      return Broken(absl::StrCat("it says it sent ", sent, " rows, ", whole_run_.rows, " came"));
    }
    if (whole_run_.rows > 0 && whole_run_.checkpoints == 0) {
      return Broken("it sent rows and no checkpoint, so no later run can go on from here");
    }
    return absl::StrCat(whole_run_.rows, " rows, ", whole_run_.checkpoints, " checkpoints");
  }

  Result Repeated() {
    TableModel again;
    absl::StatusOr<UpdateRun> run = Update({}, {}, &again);
    if (!run.ok()) return run.status();
    const std::string difference = whole_.Difference(again);
    if (!difference.empty()) return Broken(difference);
    return absl::StrCat(again.rows(), " rows");
  }

  Result Resumed() {
    const uint64_t count = whole_run_.checkpoints;
    const uint64_t step = std::max<uint64_t>(1, count / kTrials);
    uint64_t tried = 0;
    for (uint64_t stop = 1; stop <= count; stop += step) {
      TableModel model;
      absl::StatusOr<UpdateRun> first = Update({}, {.checkpoint = stop}, &model);
      if (!first.ok()) return first.status();
      absl::StatusOr<UpdateRun> second = Update(first->states, {}, &model);
      if (!second.ok()) return second.status();
      if (!second->finished->ok()) return *second->finished;
      const std::string difference = whole_.Difference(model);
      if (!difference.empty()) {
        return Broken(absl::StrCat("after checkpoint ", stop, ": ", difference));
      }
      ++tried;
    }
    return absl::StrCat(tried, " of ", count, " checkpoints tried");
  }

  Result Cancelled() {
    const uint64_t step = std::max<uint64_t>(1, whole_run_.events / kTrials);
    uint64_t tried = 0;
    for (uint64_t stop = 1; stop < whole_run_.events; stop += step) {
      TableModel model;
      absl::StatusOr<UpdateRun> run = Update({}, {.events = stop}, &model);
      if (!run.ok()) return run.status();
      ++tried;
    }
    return absl::StrCat(tried, " of ", whole_run_.events, " places tried");
  }

  Result DamagedState() {
    if (whole_run_.states.empty()) return "no state to damage";
    std::map<std::string, StateEntry> damaged = whole_run_.states;
    for (auto& [name, entry] : damaged) entry.body = "\x01 damaged {";
    TableModel model;
    absl::StatusOr<UpdateRun> run = Update(damaged, {}, &model);
    const absl::Status status = run.ok() ? *run->finished : run.status();
    if (status.ok()) return Broken("a state of nonsense was taken for a good one");
    if (status.message().empty()) return Broken("it was refused without a word");
    return std::string(status.message());
  }

  Result Reads() {
    absl::StatusOr<std::unique_ptr<ChangeSource>> source = engine_.OpenSource();
    if (!source.ok()) return source.status();
    absl::StatusOr<std::vector<TableSchema>> schema = (*source)->Schema();
    if (!schema.ok()) return schema.status();
    TableModel model = whole_;
    size_t tried = 0;
    for (uint32_t i = 0; i < schema->size(); ++i) {
      const uint32_t reads = (*schema)[i].reads;
      if ((reads & (kReadRanges | kReadWhole)) == 0) continue;
      model.Clear(i);
      ReadStart start;
      start.table = i;
      start.mode = (reads & kReadRanges) != 0 ? kReadRanges : kReadWhole;
      if (absl::Status status = ReadTable(**source, start, &model); !status.ok()) return status;
      ++tried;
    }
    const std::string difference = whole_.Difference(model);
    if (!difference.empty()) return Broken(absl::StrCat("what was read: ", difference));
    return tried == 0 ? std::string("it does not offer reads")
                      : absl::StrCat(tried, " of ", schema->size(), " tables tried");
  }

  static absl::Status ReadTable(ChangeSource& source, const ReadStart& start, TableModel* model) {
    if (absl::Status status = source.StartRead(start); !status.ok()) return status;
    UpdateRun run;
    while (!run.finished.has_value()) {
      absl::StatusOr<std::optional<SourceEvent>> event = source.Next(absl::InfiniteFuture());
      if (!event.ok()) return event.status();
      if (!event->has_value()) continue;
      if (absl::Status status = Take(**event, model, &run); !status.ok()) return status;
    }
    return *run.finished;
  }

  Engine& engine_;
  std::vector<ConformanceResult> results_;
  TableModel whole_;
  UpdateRun whole_run_;
};

}  // namespace

std::vector<ConformanceResult> CheckConformance(Engine& engine) {
  return Conformance(engine).Run();
}

}  // namespace tidemark
