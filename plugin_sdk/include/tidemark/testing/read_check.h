// Whether the rows that a plugin reads (tidemark.read/1) are those that it emits.
#ifndef TIDEMARK_TESTING_READ_CHECK_H_
#define TIDEMARK_TESTING_READ_CHECK_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tidemark/read_abi.h"
#include "tidemark/testing/plugin_run.h"
#include "tidemark/testing/recording.h"

namespace tidemark_testing {

// The order of read_abi.h.
inline bool KeyLess(const RecordedRow& a, const RecordedRow& b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (a[i] == b[i]) continue;
    if (a[i].kind == TIDEMARK_DOUBLE && b[i].kind == TIDEMARK_DOUBLE) {
      return a[i].f64() < b[i].f64();
    }
    if (a[i].kind >= TIDEMARK_DECIMAL && a[i].kind <= TIDEMARK_JSON) return a[i].data < b[i].data;
    return a[i].i64 < b[i].i64;
  }
  return a.size() < b.size();
}

// Reads one table in every way that it offers. Confined to one thread.
class ReadCheck {
 public:
  // `run` is open, and its plugin offers the extension. `wanted` is the image of a run.
  ReadCheck(PluginRun& run, uint32_t table, const TableImage& wanted)
      : run_(run), table_(table), wanted_(wanted) {}

  absl::Status Check() {
    const absl::StatusOr<uint32_t> modes = run_.ReadModes(table_);
    if (!modes.ok()) return modes.status();
    const bool keyed = !KeyColumns().empty();
    if (!keyed && (*modes & (TIDEMARK_READ_KEYS | TIDEMARK_READ_RANGES)) != 0) {
      return Bad("has no key and is said to be readable by keys");
    }
    if ((*modes & (TIDEMARK_READ_WHOLE | TIDEMARK_READ_RANGES)) == 0) return absl::OkStatus();
    for (const uint32_t mode : {TIDEMARK_READ_WHOLE, TIDEMARK_READ_RANGES}) {
      if ((*modes & mode) == 0) continue;
      if (absl::Status s = CheckWhole(mode); !s.ok()) return s;
    }
    if (rows_.empty()) return absl::OkStatus();
    if ((*modes & TIDEMARK_READ_RANGES) != 0) {
      if (absl::Status s = CheckRanges(); !s.ok()) return s;
    }
    return (*modes & TIDEMARK_READ_KEYS) != 0 ? CheckKeys() : absl::OkStatus();
  }

 private:
  absl::Status Bad(absl::string_view text) const {
    return absl::InternalError(absl::StrCat("table ", Table().FullName(), " ", text));
  }
  const RecordedTable& Table() const { return run_.sink().tables()[table_]; }
  std::vector<size_t> KeyColumns() const {
    std::vector<size_t> columns;
    for (size_t i = 0; i < Table().columns.size(); ++i) {
      if ((Table().columns[i].flags & TIDEMARK_COLUMN_KEY) != 0) columns.push_back(i);
    }
    return columns;
  }
  RecordedRow KeyOf(const RecordedRow& row) const {
    RecordedRow key;
    for (const size_t column : KeyColumns()) key.push_back(row[column]);
    return key;
  }
  static std::vector<tidemark_value> Raw(const RecordedRow& key) {
    std::vector<tidemark_value> raw;
    for (const RecordedValue& value : key) {
      tidemark_value v = {value.kind, 0, {value.i64}};
      if (value.kind >= TIDEMARK_DECIMAL && value.kind <= TIDEMARK_JSON) {
        v.length = static_cast<uint32_t>(value.data.size());
        v.u.data = value.data.data();
      } else if (value.kind == TIDEMARK_DOUBLE) {
        v.u.f64 = value.f64();
      }
      raw.push_back(v);
    }
    return raw;
  }
  tidemark_read_request Request(uint32_t mode) const {
    tidemark_read_request request = {};
    request.struct_size = sizeof(request);
    request.table = table_;
    request.mode = mode;
    request.key_columns = static_cast<uint32_t>(KeyColumns().size());
    return request;
  }

  // The rows of one read, after checking that they may be there.
  absl::StatusOr<std::vector<RecordedRow>> Read(const tidemark_read_request& request) {
    const size_t before = run_.sink().changes().size();
    const size_t checkpoints = run_.sink().checkpoints().size();
    if (absl::Status s = run_.Read(request); !s.ok()) return s;
    if (!run_.sink().violations().empty()) {
      return absl::InternalError(run_.sink().violations().front());
    }
    if (run_.sink().checkpoints().size() != checkpoints) return Bad("is read with a checkpoint");
    std::vector<RecordedRow> rows;
    for (size_t i = before; i < run_.sink().changes().size(); ++i) {
      const RecordedChange& change = run_.sink().changes()[i];
      if (change.table != table_) return Bad("is read with rows of another table");
      if (change.op != TIDEMARK_UPSERT) return Bad("is read with other changes than upserts");
      rows.push_back(change.row);
    }
    return rows;
  }

  absl::Status CheckWhole(uint32_t mode) {
    absl::StatusOr<std::vector<RecordedRow>> rows = Read(Request(mode));
    if (!rows.ok()) return rows.status();
    rows_ = *std::move(rows);
    TableImage image;
    for (const RecordedRow& row : rows_) {
      image.Apply(Table(), {table_, TIDEMARK_UPSERT, false, row, {}, {}});
    }
    const std::string prefix = Table().FullName() + " ";
    std::vector<std::string> wanted = wanted_.Lines();
    std::erase_if(wanted, [&](const std::string& line) { return line.rfind(prefix, 0) != 0; });
    const std::vector<std::string> read = image.Lines();
    if (read == wanted) return absl::OkStatus();
    const auto pair = std::mismatch(read.begin(), read.end(), wanted.begin(), wanted.end());
    return Bad(absl::StrCat("is read with other rows than update() emits: ",
                            pair.first == read.end() ? "nothing further" : *pair.first,
                            " instead of ",
                            pair.second == wanted.end() ? "nothing further" : *pair.second));
  }

  absl::Status CheckRanges() {
    for (size_t i = 1; i < rows_.size(); ++i) {
      if (!KeyLess(KeyOf(rows_[i - 1]), KeyOf(rows_[i]))) {
        return Bad(absl::StrCat("is not read in the order of its keys: ", ToString(KeyOf(rows_[i])),
                                " comes behind ", ToString(KeyOf(rows_[i - 1]))));
      }
    }
    // Halves, a range of one row, an empty one, and the first rows of a range.
    const size_t n = rows_.size();
    const size_t half = n / 2;
    for (const auto& [from, to] :
         {std::pair<size_t, size_t>(0, half), {half, n}, {half, half + 1}, {half, half}}) {
      for (const uint64_t limit : {uint64_t{0}, uint64_t{1}}) {
        if (absl::Status s = CheckRange(from, to, limit); !s.ok()) return s;
      }
    }
    return absl::OkStatus();
  }
  // Rows from..to of rows_; no bound at either end of them.
  absl::Status CheckRange(size_t from, size_t to, uint64_t limit) {
    const RecordedRow lower = from > 0 ? KeyOf(rows_[from]) : RecordedRow();
    const RecordedRow upper = to < rows_.size() ? KeyOf(rows_[to]) : RecordedRow();
    const std::vector<tidemark_value> raw_lower = Raw(lower);
    const std::vector<tidemark_value> raw_upper = Raw(upper);
    tidemark_read_request request = Request(TIDEMARK_READ_RANGES);
    if (!lower.empty()) request.lower = raw_lower.data();
    if (!upper.empty()) request.upper = raw_upper.data();
    request.limit = limit;
    const absl::StatusOr<std::vector<RecordedRow>> rows = Read(request);
    if (!rows.ok()) return rows.status();
    const size_t end = limit == 0 ? to : std::min<size_t>(to, from + limit);
    const std::vector<RecordedRow> wanted(rows_.begin() + static_cast<std::ptrdiff_t>(from),
                                          rows_.begin() + static_cast<std::ptrdiff_t>(end));
    if (*rows == wanted) return absl::OkStatus();
    return Bad(absl::StrCat("is read with ", rows->size(), " rows where the range ",
                            lower.empty() ? "from the first key" : ToString(lower), " to ",
                            upper.empty() ? "the last one" : ToString(upper), " (limit ", limit,
                            ") has ", wanted.size(), ", or with others"));
  }

  absl::Status CheckKeys() {
    constexpr size_t kKeys = 100;
    std::vector<RecordedRow> wanted;
    std::vector<tidemark_value> keys;
    std::vector<RecordedRow> texts;
    texts.reserve(kKeys + 1);
    const size_t step = std::max<size_t>(1, rows_.size() / kKeys);
    for (size_t i = 0; i < rows_.size() && wanted.size() < kKeys; i += step) {
      wanted.push_back(rows_[i]);
      texts.push_back(KeyOf(rows_[i]));
      const std::vector<tidemark_value> raw = Raw(texts.back());
      keys.insert(keys.end(), raw.begin(), raw.end());
    }
    tidemark_read_request request = Request(TIDEMARK_READ_KEYS);
    request.keys = keys.data();
    request.key_count = static_cast<uint32_t>(wanted.size());
    absl::StatusOr<std::vector<RecordedRow>> rows = Read(request);
    if (!rows.ok()) return rows.status();
    std::sort(rows->begin(), rows->end());
    std::sort(wanted.begin(), wanted.end());
    if (*rows == wanted) return absl::OkStatus();
    return Bad(absl::StrCat("is read by ", wanted.size(), " keys with ", rows->size(),
                            " rows, or with others than as a whole"));
  }

  PluginRun& run_;
  const uint32_t table_;
  const TableImage& wanted_;
  std::vector<RecordedRow> rows_;  // of the whole table
};

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTING_READ_CHECK_H_
