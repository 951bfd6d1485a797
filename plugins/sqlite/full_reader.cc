#include "sqlite/full_reader.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sqlite/row_scan.h"

namespace tidemark::sqlite {

using nlohmann::json;

namespace {

// Below this, a share says little.
constexpr uint64_t kGuardedRows = 20;

class FullReader {
 public:
  explicit FullReader(TableRun* run) : run_(*run) {}

  absl::Status Read() {
    absl::StatusOr<Transaction> transaction = Transaction::Read(run_.database);
    if (!transaction.ok()) return transaction.status();
    if (absl::Status s = Begin(); !s.ok()) return s;
    RowScan scan(&run_.database, &run_.table, {}, from_.value_or(ScanPosition()));
    uint64_t rows = 0;
    for (;;) {
      absl::StatusOr<bool> row = scan.Next();
      if (!row.ok()) return row.status();
      if (!*row) break;
      if (absl::Status s = run_.sink.Upsert(run_.target, scan.row()); !s.ok()) return s;
      if (++rows % run_.page_rows() != 0) continue;
      json body = {{"pass", scan.position().ToJson()},
                   {"sync", std::string(run_.request.sync_id())}};
      if (before_) body["rows"] = *before_;
      if (absl::Status s = run_.Checkpoint(std::move(body)); !s.ok()) return s;
    }
    return run_.Checkpoint({{"rows", count_}});
  }

 private:
  absl::Status Begin() {
    absl::StatusOr<int64_t> count =
        run_.database.Number(absl::StrCat("SELECT count(*) FROM main.", Quoted(run_.table.name)));
    if (!count.ok()) return count.status();
    count_ = static_cast<uint64_t>(*count);
    const json& state = run_.state;
    if (state.is_object() && state.contains("rows")) {
      if (!state["rows"].is_number_unsigned()) return run_.Damaged("has no count of rows");
      before_ = state["rows"].get<uint64_t>();
    }
    if (state.is_object() && state.contains("pass")) {
      from_ = ScanPosition::FromJson(state["pass"]);
      if (!from_) return run_.Damaged("has no place to go on from");
      // Only another attempt of the same sync goes on: a later one would end without the changes
      // of the rows that an earlier one had read. And rows may have got other numbers.
      const bool same_sync = TextIn(state, "sync") == std::string(run_.request.sync_id());
      absl::StatusOr<int64_t> version = run_.database.SchemaVersion();
      if (!version.ok()) return version.status();
      if (!same_sync || from_->schema_version != *version) from_.reset();
    }
    if (from_) return absl::OkStatus();
    if (before_ && count_ < *before_) {
      if (absl::Status s = GuardDeletes(run_, *before_, *before_ - count_); !s.ok()) return s;
    }
    return run_.sink.Truncate(run_.target);
  }

  TableRun& run_;
  uint64_t count_ = 0;              // rows of the table
  std::optional<uint64_t> before_;  // rows when it was last read
  std::optional<ScanPosition> from_;
};

}  // namespace

absl::Status GuardDeletes(const TableRun& run, uint64_t before, uint64_t gone) {
  const double share = static_cast<double>(gone) / static_cast<double>(before);
  if (before < kGuardedRows || share <= run.options.max_delete_share) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "table ", run.table.name, ": ", gone, " of ", before,
      " rows are gone from the source since the last sync, more than max_delete_share (",
      run.options.max_delete_share,
      ") allows; nothing was deleted. If they were meant to go, run once with max_delete_share: "
      "1"));
}

absl::Status ReadFull(TableRun& run) { return FullReader(&run).Read(); }

}  // namespace tidemark::sqlite
