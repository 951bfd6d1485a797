// Owned copies of what a plugin emitted, and the tables that result from it.
#ifndef TIDEMARK_TESTING_RECORDING_H_
#define TIDEMARK_TESTING_RECORDING_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "tidemark/plugin_abi.h"

namespace tidemark_testing {

// A value with its own text. Doubles compare bit by bit.
struct RecordedValue {
  uint32_t kind = TIDEMARK_NULL;
  int64_t i64 = 0;  // of a double: its bits
  std::string data;

  static RecordedValue Copy(const tidemark_value& v) {
    RecordedValue copy;
    copy.kind = v.type;
    if (v.type >= TIDEMARK_DECIMAL && v.type <= TIDEMARK_JSON) {
      copy.data.assign(v.u.data, v.length);
    } else if (v.type != TIDEMARK_NULL && v.type != TIDEMARK_UNCHANGED) {
      copy.i64 = v.u.i64;
    }
    return copy;
  }
  double f64() const {
    double d = 0;
    std::memcpy(&d, &i64, sizeof(d));
    return d;
  }
  // For messages of tests: 7, 1.5, "text", null, unchanged, date:3.
  std::string ToString() const {
    switch (kind) {
      case TIDEMARK_NULL:
        return "null";
      case TIDEMARK_UNCHANGED:
        return "unchanged";
      case TIDEMARK_BOOL:
        return i64 != 0 ? "true" : "false";
      case TIDEMARK_INT64:
        return absl::StrCat(i64);
      case TIDEMARK_DOUBLE:
        return absl::StrCat(f64());
      case TIDEMARK_STRING:
        return absl::StrCat("\"", absl::CEscape(data), "\"");
      case TIDEMARK_DECIMAL:
      case TIDEMARK_JSON:
        return data;
      case TIDEMARK_BYTES:
        return absl::StrCat("x'", absl::BytesToHexString(data), "'");
      case TIDEMARK_DATE:
        return absl::StrCat("date:", i64);
      case TIDEMARK_TIME:
        return absl::StrCat("time:", i64);
      case TIDEMARK_TIMESTAMP:
        return absl::StrCat("timestamp:", i64);
      default:
        return absl::StrCat("naive:", i64);
    }
  }
  friend bool operator==(const RecordedValue&, const RecordedValue&) = default;
  friend auto operator<=>(const RecordedValue&, const RecordedValue&) = default;
};

// Values in the order of the table's columns; possibly fewer than columns.
using RecordedRow = std::vector<RecordedValue>;

inline std::string ToString(const RecordedRow& row) {
  return absl::StrCat(
      "(",
      absl::StrJoin(row, ", ",
                    [](std::string* out, const RecordedValue& v) { out->append(v.ToString()); }),
      ")");
}

struct RecordedColumn {
  std::string name;
  uint32_t type = TIDEMARK_TYPE_UNDECLARED;
  uint32_t flags = 0;
  int32_t precision = 0;
  int32_t scale = 0;
  friend bool operator==(const RecordedColumn&, const RecordedColumn&) = default;
};

struct RecordedTable {
  std::string schema;
  std::string name;
  std::vector<RecordedColumn> columns;

  // The name that tests and images use: "table" or "schema.table".
  std::string FullName() const { return schema.empty() ? name : absl::StrCat(schema, ".", name); }
  friend bool operator==(const RecordedTable&, const RecordedTable&) = default;
};

// One row of a batch.
struct RecordedChange {
  uint32_t table = 0;
  uint8_t op = 0;  // TIDEMARK_UPSERT, ..., without the bit
  bool on_error_continue = false;
  RecordedRow row;
  RecordedRow before;  // empty: none
  tidemark_row_meta meta = {TIDEMARK_NO_TIME, 0, 0};
};

// One entry of a checkpoint; see tidemark_state.
struct RecordedState {
  std::string schema = {};
  std::string table = {};
  std::string body = {};
  std::string cursor = {};
  uint32_t format = 0;
  int64_t watermark_us = TIDEMARK_NO_TIME;
};

struct RecordedCheckpoint {
  uint64_t id = 0;
  std::vector<RecordedState> states;
  size_t changes = 0;  // emitted before it, since the start of the run
};

struct RecordedDeadLetter {
  uint32_t table = 0;
  tidemark_code code = 0;
  std::string record_json;
  std::string key_json;
  std::string reason;
  std::string context_json;
};

// What the destination would hold: the rows of each table, by key. Rows of a table without a key
// are kept by their values, with their number.
class TableImage {
 public:
  using Cells = std::map<std::string, RecordedValue>;  // by column; NULLs are left out

  void Apply(const RecordedTable& table, const RecordedChange& change) {
    auto& rows = tables_[table.FullName()];
    if (change.op == TIDEMARK_TRUNCATE) {
      rows.clear();
      return;
    }
    const bool keyed = Keyed(table);
    const RecordedRow key = Key(table, change.row);
    const RecordedRow old_key = change.before.empty() ? key : Key(table, change.before);
    if (!keyed) return ApplyKeyless(table, change, rows);
    if (change.op == TIDEMARK_DELETE) {
      rows.erase(key);
    } else if (change.op == TIDEMARK_UPDATE) {
      const auto old = rows.find(old_key);
      Cells cells;
      if (old != rows.end()) {
        cells = old->second;
        rows.erase(old);
      } else if (change.before.empty() || !Whole(table, change.row)) {
        return;  // never half a row
      }
      Overlay(table, change.row, cells);
      rows[key] = std::move(cells);
    } else {
      rows[key].clear();
      Overlay(table, change.row, rows[key]);
    }
  }

  // One line for each row, sorted: "users (1) id=1 name=\"Ann\"".
  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const auto& [name, rows] : tables_) {
      for (const auto& [key, cells] : rows) {
        std::string line = absl::StrCat(name, " ", ToString(key));
        for (const auto& [column, value] : cells) {
          absl::StrAppend(&line, " ", column, "=", value.ToString());
        }
        lines.push_back(std::move(line));
      }
    }
    return lines;
  }
  size_t RowCount(const std::string& table) const {
    const auto it = tables_.find(table);
    return it == tables_.end() ? 0 : it->second.size();
  }
  friend bool operator==(const TableImage& a, const TableImage& b) {
    return a.Lines() == b.Lines();
  }

 private:
  using Rows = std::map<RecordedRow, Cells>;

  static bool Keyed(const RecordedTable& table) {
    for (const RecordedColumn& c : table.columns) {
      if ((c.flags & TIDEMARK_COLUMN_KEY) != 0) return true;
    }
    return false;
  }
  static RecordedRow Key(const RecordedTable& table, const RecordedRow& row) {
    RecordedRow key;
    for (size_t i = 0; i < table.columns.size() && i < row.size(); ++i) {
      if ((table.columns[i].flags & TIDEMARK_COLUMN_KEY) != 0) key.push_back(row[i]);
    }
    return key;
  }
  static bool Whole(const RecordedTable& table, const RecordedRow& row) {
    return row.size() >= table.columns.size() &&
           std::none_of(row.begin(), row.end(),
                        [](const RecordedValue& v) { return v.kind == TIDEMARK_UNCHANGED; });
  }
  static void Overlay(const RecordedTable& table, const RecordedRow& row, Cells& cells) {
    for (size_t i = 0; i < table.columns.size() && i < row.size(); ++i) {
      if (row[i].kind == TIDEMARK_UNCHANGED) continue;
      if (row[i].kind == TIDEMARK_NULL) {
        cells.erase(table.columns[i].name);
      } else {
        cells[table.columns[i].name] = row[i];
      }
    }
  }
  // A repeated row is one row, as at a destination, which keys it by its values.
  static void ApplyKeyless(const RecordedTable& table, const RecordedChange& change, Rows& rows) {
    Cells cells;
    if (change.op == TIDEMARK_UPDATE || change.op == TIDEMARK_DELETE) {
      const RecordedRow& old = change.before.empty() ? change.row : change.before;
      Overlay(table, old, cells);
      rows.erase(ValuesOf(cells));
    }
    if (change.op == TIDEMARK_DELETE) return;
    Overlay(table, change.row, cells);
    rows[ValuesOf(cells)] = cells;
  }
  static RecordedRow ValuesOf(const Cells& cells) {
    RecordedRow values;
    for (const auto& [column, value] : cells) {
      RecordedValue name;
      name.kind = TIDEMARK_STRING;
      name.data = column;
      values.push_back(name);
      values.push_back(value);
    }
    return values;
  }

  std::map<std::string, Rows> tables_;
};

}  // namespace tidemark_testing

#endif  // TIDEMARK_TESTING_RECORDING_H_
