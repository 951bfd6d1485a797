#include "sqlite/compare_reader.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "sqlite/full_reader.h"
#include "sqlite/row_scan.h"
#include "sqlite/seen_rows.h"

namespace tidemark::sqlite {
namespace {

using nlohmann::json;

constexpr int64_t kListedRows = 20'000;

class CompareReader {
 public:
  explicit CompareReader(TableRun* run) : run_(*run) {}

  absl::Status Read() {
    absl::StatusOr<Transaction> transaction = Transaction::Read(run_.database);
    if (!transaction.ok()) return transaction.status();
    if (absl::Status s = ReadState(); !s.ok()) return s;
    const bool first = run_.state.is_null() && !run_.full;
    if (!listed_ && !first) {
      if (absl::Status s = run_.sink.Truncate(run_.target); !s.ok()) return s;
    }
    if (absl::Status s = ReadRows(); !s.ok()) return s;
    if (absl::Status s = EmitDeletes(); !s.ok()) return s;
    const uint64_t rows = list_.size();
    return run_.Checkpoint({{"rows", rows}, {"list", std::move(list_)}});
  }

 private:
  struct Known {
    std::string digest;
    bool there = false;
  };

  absl::Status ReadState() {
    if (run_.full || !run_.state.is_object() || !run_.state.contains("list")) {
      return absl::OkStatus();
    }
    listed_ = true;
    for (const json& item : run_.state["list"]) {
      if (!item.is_array() || item.size() != 2 || !item[0].is_array() || !item[1].is_string()) {
        return run_.Damaged("has a damaged list of rows");
      }
      known_[JsonText(item[0])] = {item[1].get<std::string>(), false};
    }
    return absl::OkStatus();
  }

  absl::Status ReadRows() {
    RowScan scan(&run_.database, &run_.table, {}, {});
    for (;;) {
      absl::StatusOr<bool> row = scan.Next();
      if (!row.ok()) return row.status();
      if (!*row) return absl::OkStatus();
      json key = json::array();
      for (const size_t column : run_.table.key) key.push_back(ToJson(ToCell(scan.row()[column])));
      const std::string digest = DigestOf(scan.row());
      const auto known = known_.find(JsonText(key));
      list_.push_back(json::array({std::move(key), digest}));
      if (known != known_.end()) {
        known->second.there = true;
        if (known->second.digest == digest) continue;
      }
      if (absl::Status s = run_.sink.Upsert(run_.target, scan.row()); !s.ok()) return s;
    }
  }

  absl::Status EmitDeletes() {
    uint64_t gone = 0;
    for (const auto& [key, known] : known_) gone += known.there ? 0 : 1;
    if (gone == 0) return absl::OkStatus();
    if (absl::Status s = GuardDeletes(run_, known_.size(), gone); !s.ok()) return s;
    for (const auto& [key, known] : known_) {
      if (known.there) continue;
      const std::optional<std::vector<Cell>> cells = CellsFromJson(json::parse(key));
      if (!cells || cells->size() != run_.table.key.size()) {
        return run_.Damaged("has a key of another form");
      }
      std::vector<Value> row(run_.table.columns.size());
      for (size_t i = 0; i < cells->size(); ++i) row[run_.table.key[i]] = (*cells)[i].ToValue();
      if (absl::Status s = run_.sink.Delete(run_.target, row); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

  TableRun& run_;
  bool listed_ = false;
  absl::flat_hash_map<std::string, Known> known_;  // by JSON of the key
  json list_ = json::array();
};

}  // namespace

absl::Status ReadByComparing(TableRun& run) {
  const absl::StatusOr<int64_t> count =
      run.database.Number(absl::StrCat("SELECT count(*) FROM (SELECT 1 FROM main.",
                                       Quoted(run.table.name), " LIMIT ", kListedRows + 1, ")"));
  if (!count.ok()) return count.status();
  if (*count > kListedRows || run.table.key.empty()) return ReadFull(run);
  return CompareReader(&run).Read();
}

}  // namespace tidemark::sqlite
