#include "sqlite/trigger_reader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sqlite/captured_change.h"
#include "sqlite/row_scan.h"

namespace tidemark::sqlite {
namespace {

using nlohmann::json;

std::optional<int64_t> IntegerIn(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return found->get<int64_t>();
}

class TriggerReader {
 public:
  explicit TriggerReader(const TriggerRun* trigger)
      : trigger_(*trigger),
        run_(trigger_.run),
        capture_(&run_.table, std::string(run_.request.connection())) {}

  absl::Status Read() {
    if (absl::Status s = ReadState(); !s.ok()) return s;
    if (absl::Status s = Install(); !s.ok()) return s;
    if (absl::Status s = Release(); !s.ok()) return s;
    if (!complete_) {
      if (absl::Status s = ReadRows(); !s.ok()) return s;
    }
    return ReadLog();
  }

 private:
  absl::Status ReadState() {
    if (run_.state.is_null() || run_.full) return absl::OkStatus();
    const std::optional<int64_t> seq = IntegerIn(run_.state, "seq");
    id_ = TextIn(run_.state, "capture");
    if (!seq || id_.empty()) return run_.Damaged("has no place in the changes");
    seq_ = *seq;
    mark_ = TextIn(run_.state, "mark");
    complete_ = !run_.state.contains("pass");
    if (complete_) return absl::OkStatus();
    from_ = ScanPosition::FromJson(run_.state["pass"]);
    return from_ ? absl::OkStatus() : run_.Damaged("has no place to go on from");
  }

  // Finds the triggers or makes them; without those that the state is of, all rows are read again.
  absl::Status Install() {
    absl::StatusOr<ChangeCapture::Place> place = capture_.Look(run_.database);
    if (!place.ok()) return place.status();
    if (absl::Status s = CheckChanges(run_.database, run_.table, StateToCheck(), *place); !s.ok()) {
      return s;
    }
    if (!place->installed) {
      if (absl::Status s = MayInstall(); !s.ok()) return s;
      absl::StatusOr<Database*> writer = trigger_.writer();
      if (!writer.ok()) return writer.status();
      const int64_t seen = id_.empty() || id_ != place->id ? place->last : seq_;
      if (absl::Status s = capture_.Install(**writer, seen); !s.ok()) return s;
      place = capture_.Look(run_.database);
      if (!place.ok()) return place.status();
    }
    if (place->id == id_) return CheckPosition();
    if (!id_.empty()) {
      absl::Status s = run_.Warn(
          "its triggers had to be made anew, because the table or they were changed: changes may "
          "have gone by, so all rows are read again");
      if (!s.ok()) return s;
    }
    if (run_.full || !id_.empty()) truncate_ = true;
    id_ = place->id;
    complete_ = false;
    from_.reset();
    mark_.clear();
    return absl::OkStatus();
  }

  json StateToCheck() const { return run_.full ? json() : run_.state; }

  absl::Status MayInstall() const {
    if (run_.options.install_triggers && !run_.request.dry_run()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        "cdc_method trigger needs triggers on table ", run_.table.name,
        " and the tables _tidemark_changes, _tidemark_capture and _tidemark_consumers in the "
        "source "
        "database; say install_triggers: true in sync.source.config to let them be made"));
  }

  // An interrupted first read goes on only where rows still have the same numbers.
  absl::Status CheckPosition() {
    if (!from_) return absl::OkStatus();
    const absl::StatusOr<int64_t> version = run_.database.SchemaVersion();
    if (!version.ok()) return version.status();
    if (from_->schema_version != *version) from_.reset();
    return absl::OkStatus();
  }

  absl::Status Release() {
    // A change table that was made anew counts from 1 again.
    if (!trigger_.releasable || trigger_.releasable->capture != id_ || run_.request.dry_run()) {
      return absl::OkStatus();
    }
    absl::StatusOr<Database*> writer = trigger_.writer();
    if (!writer.ok()) return writer.status();
    absl::Status status = capture_.Release(**writer, trigger_.releasable->seq);
    // What could not be removed now is removed in the next sync.
    if (absl::IsUnavailable(status)) {
      run_.sink.Log(LogLevel::kWarning, absl::StrCat("changes are kept: ", status.message()));
      return absl::OkStatus();
    }
    return status;
  }

  absl::Status ReadRows() {
    if (!from_) {
      // Before the first row is read: whatever changes from here on is in the log.
      const absl::StatusOr<ChangeCapture::Place> place = capture_.Look(run_.database);
      if (!place.ok()) return place.status();
      seq_ = place->last;
      if (truncate_ || run_.full) {
        if (absl::Status s = run_.sink.Truncate(run_.target); !s.ok()) return s;
      }
    }
    RowScan scan(&run_.database, &run_.table, {}, from_.value_or(ScanPosition()));
    uint64_t rows = 0;
    for (;;) {
      absl::StatusOr<bool> row = scan.Next();
      if (!row.ok()) return row.status();
      if (!*row) break;
      if (absl::Status s = run_.sink.Upsert(run_.target, scan.row()); !s.ok()) return s;
      if (++rows % run_.page_rows() != 0) continue;
      json body = State();
      body["pass"] = scan.position().ToJson();
      if (absl::Status s = run_.Checkpoint(std::move(body)); !s.ok()) return s;
    }
    return run_.Checkpoint(State(), absl::StrCat(seq_));
  }

  absl::Status ReadLog() {
    const absl::StatusOr<ChangeCapture::Place> place = capture_.Look(run_.database);
    if (!place.ok()) return place.status();
    // A source that never stops changing must not keep the sync from ending.
    const int64_t last = place->last;
    for (bool more = true; more;) {
      absl::StatusOr<bool> page = ReadPage(last);
      if (!page.ok()) return page.status();
      more = *page;
      if (absl::Status s = run_.Checkpoint(State(), absl::StrCat(seq_), time_); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

  // Whether there is more. The rows of the table are seen as they are after these changes.
  absl::StatusOr<bool> ReadPage(int64_t last) {
    absl::StatusOr<Transaction> transaction = Transaction::Read(run_.database);
    if (!transaction.ok()) return transaction.status();
    auto changes = run_.database.Prepare(
        "SELECT seq, ts, op, pk, old, new FROM main._tidemark_changes WHERE tbl = ?1 AND seq > ?2 "
        "AND seq <= ?3 ORDER BY seq LIMIT ?4");
    if (!changes.ok()) return changes.status();
    const auto limit = static_cast<int64_t>(run_.page_rows());
    changes->Bind(1, run_.table.name).Bind(2, seq_).Bind(3, last).Bind(4, limit);
    int64_t rows = 0;
    for (;; ++rows) {
      absl::StatusOr<bool> row = changes->Step();
      if (!row.ok()) return row.status();
      if (!*row) break;
      absl::StatusOr<CapturedChange> change = CapturedChange::Read(*changes, run_.table);
      absl::Status status = change.ok() ? Emit(*change) : Reject(*changes, change.status());
      if (!status.ok()) return status;
      seq_ = changes->Int(0);
      mark_ = CapturedChange::MarkOf(*changes);
      if (change.ok()) time_ = std::max(time_, change->time);
    }
    return rows == limit;
  }

  absl::Status Reject(const Statement& row, const absl::Status& why) {
    const std::string key(row.Text(3));
    const std::string record = JsonText({{"seq", row.Int(0)},
                                         {"op", std::string(row.Text(2))},
                                         {"old", std::string(row.Text(4))},
                                         {"new", std::string(row.Text(5))}});
    return run_.sink.DeadLetter({.table = run_.table.name,
                                 .record_json = record,
                                 .reason = why.message(),
                                 .key_json = key});
  }

  absl::Status Emit(const CapturedChange& change) {
    RowOptions<Value> options;
    options.event_time = change.time;
    options.sequence = static_cast<uint64_t>(change.seq);
    const std::vector<Value> new_row = ValuesOf(change.new_row);
    if (change.op == 'c') return run_.sink.Upsert(run_.target, new_row, options);
    const std::vector<Value> before = Before(change);
    if (change.op == 'u') {
      if (!run_.table.key.empty() && KeyOf(change.new_row) == change.key) {
        return run_.sink.Upsert(run_.target, new_row, options);
      }
      if (run_.table.key.empty()) {
        // Of equal rows without a key, the destination has one: it goes with the last.
        const absl::StatusOr<bool> left = Exists(change);
        if (!left.ok()) return left.status();
        if (*left) return run_.sink.Upsert(run_.target, new_row, options);
      }
      options.before = before;
      return run_.sink.Update(run_.target, new_row, options);
    }
    if (change.op == 'm' || run_.table.key.empty()) {
      const absl::StatusOr<bool> left = Exists(change);
      if (!left.ok()) return left.status();
      if (*left) return absl::OkStatus();
    }
    if (run_.table.key.empty()) options.before = before;
    return run_.sink.Delete(run_.target, before, options);
  }

  std::vector<Cell> KeyOf(const std::vector<Cell>& row) const {
    std::vector<Cell> key;
    key.reserve(run_.table.key.size());
    for (const size_t column : run_.table.key) key.push_back(row[column]);
    return key;
  }

  // What is known of the old row: all of it where there is no key, else the key.
  std::vector<Value> Before(const CapturedChange& change) const {
    if (!change.old_row.empty()) return ValuesOf(change.old_row);
    std::vector<Value> before(run_.table.columns.size(), Value::Unchanged());
    for (size_t i = 0; i < run_.table.key.size(); ++i) {
      before[run_.table.key[i]] = change.key[i].ToValue();
    }
    return before;
  }

  // Whether the old row of a change is in the table now.
  absl::StatusOr<bool> Exists(const CapturedChange& change) {
    std::vector<std::string> conditions;
    std::vector<Cell> cells;
    const auto add = [&](size_t column, const Cell& cell) {
      const std::string name = Quoted(run_.table.columns[column].name);
      cells.push_back(cell);
      conditions.push_back(absl::StrCat(name, " IS ?", cells.size(), " COLLATE BINARY"));
    };
    if (run_.table.key.empty()) {
      for (size_t i = 0; i < change.old_row.size(); ++i) add(i, change.old_row[i]);
    } else {
      for (size_t i = 0; i < change.key.size(); ++i) add(run_.table.key[i], change.key[i]);
    }
    const absl::StatusOr<int64_t> found = run_.database.Number(
        absl::StrCat("SELECT EXISTS (SELECT 1 FROM main.", Quoted(run_.table.name), " WHERE ",
                     absl::StrJoin(conditions, " AND "), ")"),
        cells);
    if (!found.ok()) return found.status();
    return *found != 0;
  }

  json State() const {
    json state = {{"capture", id_}, {"seq", seq_}};
    if (!mark_.empty()) state["mark"] = mark_;
    return state;
  }

  const TriggerRun& trigger_;
  TableRun& run_;
  const ChangeCapture capture_;
  std::string id_;  // of the triggers that the state is of
  int64_t seq_ = 0;
  std::string mark_;
  absl::Time time_ = absl::InfinitePast();  // of the newest change
  bool complete_ = false;                   // all rows were read
  bool truncate_ = false;
  std::optional<ScanPosition> from_;
};

}  // namespace

absl::Status ReadChanges(const TriggerRun& trigger) { return TriggerReader(&trigger).Read(); }

absl::Status CheckChanges(Database& database, const TableDefinition& table, const json& state,
                          const ChangeCapture::Place& place) {
  if (!state.is_object()) return absl::OkStatus();
  const std::optional<int64_t> seq = IntegerIn(state, "seq");
  if (!seq) return absl::DataLossError("the state has no place in the changes");
  // Triggers of another id are a new beginning, see TriggerReader::Install.
  if (place.id.empty() || place.id != TextIn(state, "capture")) return absl::OkStatus();
  const auto lost = [&](absl::string_view why) {
    return absl::DataLossError(absl::StrCat("table ", table.name, ": ", why,
                                            "; read the table in full to go on (--full)"));
  };
  if (place.pruned > *seq) {
    return lost(absl::StrCat("changes ", *seq + 1, " to ", place.pruned,
                             " were removed from _tidemark_changes before they were read"));
  }
  if (place.last < *seq) {
    return lost(absl::StrCat("the state knows changes up to ", *seq, ", the database only up to ",
                             place.last, ": it is an older copy"));
  }
  auto row = database.Prepare(
      "SELECT seq, ts, op, pk, old, new FROM main._tidemark_changes WHERE seq = ?1 AND tbl = ?2");
  if (!row.ok()) return row.status();
  row->Bind(1, *seq).Bind(2, table.name);
  absl::StatusOr<bool> there = row->Step();
  if (!there.ok()) return there.status();
  const std::string mark = TextIn(state, "mark");
  if (*there && !mark.empty() && CapturedChange::MarkOf(*row) != mark) {
    return lost(absl::StrCat("change ", *seq,
                             " is another one than the one that was read: the "
                             "database is an older copy that went on by itself"));
  }
  return absl::OkStatus();
}

std::optional<ChangePlace> PlaceOf(absl::string_view body) {
  const json state = json::parse(body.begin(), body.end(), nullptr, false);
  if (!state.is_object() || TextIn(state, "method") != "trigger") return std::nullopt;
  const std::optional<int64_t> seq = IntegerIn(state, "seq");
  if (!seq) return std::nullopt;
  return ChangePlace{TextIn(state, "capture"), *seq};
}

}  // namespace tidemark::sqlite
