#include "sqlite/version_reader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cursors/boundary_rows.h"
#include "sqlite/row_scan.h"
#include "sqlite/seen_rows.h"

namespace tidemark::sqlite {
namespace {

using nlohmann::json;

// BoundaryRows orders rows by a time: a number is as good a place.
absl::Time Place(int64_t number) { return absl::FromUnixMicros(number); }

class VersionReader {
 public:
  explicit VersionReader(TableRun* run)
      : run_(*run), field_(run_.options.version_field), keyset_(run_.method == Method::kKeyset) {}

  absl::Status Read() {
    column_ = *run_.table.FindColumn(field_);
    if (!run_.options.sequence_field.empty()) {
      sequence_ = run_.table.FindColumn(run_.options.sequence_field);
    }
    absl::StatusOr<Transaction> transaction = Transaction::Read(run_.database);
    if (!transaction.ok()) return transaction.status();
    if (absl::Status s = ReadState(); !s.ok()) return s;
    if (absl::Status s = CheckBehind(); !s.ok()) return s;
    if (!pass_ && (run_.full || reset_)) {
      if (absl::Status s = run_.sink.Truncate(run_.target); !s.ok()) return s;
    }
    for (size_t stage = pass_ ? pass_->stage : 0; stage < 2; ++stage) {
      if (absl::Status s = ReadStage(stage); !s.ok()) return s;
    }
    return Finish();
  }

 private:
  struct Pass {  // that was interrupted
    size_t stage = 0;
    ScanPosition position;
  };

  static std::optional<int64_t> IntegerIn(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_number_integer()) return std::nullopt;
    return found->get<int64_t>();
  }

  absl::Status ReadState() {
    if (run_.state.is_null()) return absl::OkStatus();
    const json& state = run_.state;
    if (TextIn(state, "field") != field_) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the state of table ", run_.table.name, " is of column ", TextIn(state, "field"),
          ", the configuration says ", field_, ": read the table in full once"));
    }
    if (run_.full) return absl::OkStatus();
    cursor_ = IntegerIn(state, "cursor");
    below_ = IntegerIn(state, "below");
    if (cursor_.has_value() != below_.has_value() || (state.contains("cursor") && !cursor_)) {
      return run_.Damaged("has a damaged cursor");
    }
    if (state.contains("seen")) {
      auto seen = SeenFromJson(state["seen"]);
      if (!seen) return run_.Damaged("has a damaged list of seen rows");
      old_seen_ = *std::move(seen);
    }
    return state.contains("pass") ? ReadPass(state["pass"]) : absl::OkStatus();
  }

  absl::Status ReadPass(const json& pass) {
    if (!pass.is_object()) return run_.Damaged("has a damaged pass");
    const std::optional<int64_t> stage = IntegerIn(pass, "stage");
    std::optional<ScanPosition> position = ScanPosition::FromJson(pass.value("position", json()));
    if (!stage || *stage < 0 || *stage > 1 || !position) {
      return run_.Damaged("has a damaged pass");
    }
    const absl::StatusOr<int64_t> version = run_.database.SchemaVersion();
    if (!version.ok()) return version.status();
    if (position->schema_version != *version) return absl::OkStatus();
    pass_ = Pass{static_cast<size_t>(*stage), *std::move(position)};
    newest_ = IntegerIn(pass, "newest");
    return absl::OkStatus();
  }

  std::string Name() const { return Quoted(run_.table.columns[column_].name); }
  // Rows that the cursor has left behind.
  absl::StatusOr<int64_t> CountBehind(int64_t cursor) {
    return run_.database.Number(
        absl::StrCat("SELECT count(*) FROM main.", Quoted(run_.table.name), " WHERE typeof(",
                     Name(), ") = 'integer' AND ", Name(), keyset_ ? " <= ?1" : " < ?1"),
        {Cell::Integer(cursor)});
  }

  absl::Status CheckBehind() {
    if (!cursor_) return absl::OkStatus();
    const absl::StatusOr<int64_t> behind = CountBehind(*cursor_);
    if (!behind.ok()) return behind.status();
    const absl::StatusOr<Cell> largest = run_.database.Scalar(
        absl::StrCat("SELECT max(", Name(), ") FROM main.", Quoted(run_.table.name),
                     " WHERE typeof(", Name(), ") = 'integer'"));
    if (!largest.ok()) return largest.status();
    const bool more = *behind > *below_;
    const bool lower = !keyset_ && !largest->null() && largest->integer < *cursor_;
    if (!more && !lower) return absl::OkStatus();
    reset_ = true;
    const std::string why = more ? absl::StrCat(*behind, " rows stand behind the cursor ", *cursor_,
                                                ", there were ", *below_)
                                 : absl::StrCat("its largest number is ", largest->integer,
                                                ", the cursor was ", *cursor_);
    cursor_.reset();
    below_.reset();
    pass_.reset();
    newest_.reset();
    old_seen_ = {};
    return run_.Warn(absl::StrCat("column ", field_,
                                  " began anew or does not grow over the whole table (", why,
                                  "): the table is read as a whole"));
  }

  ScanRange Range(size_t stage) const {
    ScanRange range;
    const std::string usable = absl::StrCat(
        "typeof(", Name(), ") = 'integer'",
        sequence_
            ? absl::StrCat(" AND ", Quoted(run_.table.columns[*sequence_].name), " IS NOT NULL")
            : "");
    if (stage == 1) {
      range.where = absl::StrCat("NOT (", usable, ")");
      return range;
    }
    range.where = usable;
    range.order_by = {column_};
    if (sequence_) range.order_by.push_back(*sequence_);
    if (!cursor_) return range;
    absl::StrAppend(&range.where, " AND ", Name(), keyset_ ? " > ?1" : " >= ?1");
    range.parameters = {Cell::Integer(*cursor_)};
    return range;
  }

  absl::Status ReadStage(size_t stage) {
    ScanPosition from;
    if (pass_ && pass_->stage == stage) from = pass_->position;
    RowScan scan(&run_.database, &run_.table, Range(stage), std::move(from));
    uint64_t rows = 0;
    for (;;) {
      absl::StatusOr<bool> row = scan.Next();
      if (!row.ok()) return row.status();
      if (!*row) return absl::OkStatus();
      if (absl::Status s = Take(scan.row()); !s.ok()) return s;
      if (++rows % run_.page_rows() != 0) continue;
      json body = State(old_seen_);
      // After a reset nothing of the old state holds, and the whole table is to be read.
      body["pass"] = {{"stage", stage}, {"position", scan.position().ToJson()}};
      if (newest_) body["pass"]["newest"] = *newest_;
      if (absl::Status s = run_.Checkpoint(std::move(body), Readable()); !s.ok()) return s;
    }
  }

  absl::Status Take(const std::vector<Value>& row) {
    const Value& number = row[column_];
    const bool usable = number.kind() == TIDEMARK_INT64;
    if (usable) newest_ = std::max(newest_.value_or(number.raw().u.i64), number.raw().u.i64);
    if (!usable) ++unusable_;
    if (keyset_ && usable) return run_.sink.Upsert(run_.target, row);
    const absl::Time place = usable ? Place(number.raw().u.i64) : absl::InfiniteFuture();
    const std::string digest = DigestOf(row);
    new_seen_.Add(place, digest);
    if (old_seen_.Contains(place, digest)) return absl::OkStatus();
    return run_.sink.Upsert(run_.target, row);
  }

  std::string Readable() const { return cursor_ ? absl::StrCat(*cursor_) : ""; }

  json State(const cursors::BoundaryRows& seen) const {
    json state = {{"field", field_}};
    if (cursor_) {
      state["cursor"] = *cursor_;
      state["below"] = *below_;
    }
    if (!seen.rows().empty()) state["seen"] = ToJson(seen);
    return state;
  }

  absl::Status Finish() {
    if (newest_) cursor_ = std::max(cursor_.value_or(*newest_), *newest_);
    if (cursor_) {
      const absl::StatusOr<int64_t> behind = CountBehind(*cursor_);
      if (!behind.ok()) return behind.status();
      below_ = *behind;
      new_seen_.Forget(Place(*cursor_));
    }
    if (unusable_ > 0) {
      absl::Status s = run_.Warn(absl::StrCat(unusable_, " rows without an integer in ", field_,
                                              "; they are read in every sync"));
      if (!s.ok()) return s;
    }
    return run_.Checkpoint(State(new_seen_), Readable());
  }

  TableRun& run_;
  const std::string& field_;
  const bool keyset_;
  size_t column_ = 0;
  std::optional<size_t> sequence_;
  std::optional<int64_t> cursor_;
  std::optional<int64_t> below_;
  std::optional<int64_t> newest_;
  bool reset_ = false;
  uint64_t unusable_ = 0;
  std::optional<Pass> pass_;
  cursors::BoundaryRows old_seen_;
  cursors::BoundaryRows new_seen_;
};

}  // namespace

absl::Status ReadVersions(TableRun& run) { return VersionReader(&run).Read(); }

}  // namespace tidemark::sqlite
