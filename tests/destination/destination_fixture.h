// What the destination tests share: a temporary folder, a clock that stands still, and short ways
// to write targets, batches and commits.
#ifndef TIDEMARK_TESTS_DESTINATION_DESTINATION_FIXTURE_H_
#define TIDEMARK_TESTS_DESTINATION_DESTINATION_FIXTURE_H_

#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "core/clock.h"
#include "destination/sqlite_destination.h"
#include "gtest/gtest.h"

namespace tidemark {

// Stands still until it is moved. Confined to one thread.
class StandingClock final : public Clock {
 public:
  absl::Time Now() override { return now_; }
  absl::Duration Monotonic() override { return now_ - absl::UnixEpoch(); }
  void Sleep(absl::Duration duration) override { now_ += duration; }
  void Move(absl::Duration by) { now_ += by; }

 private:
  absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
};

// Removed with everything in it at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    // Memory where there is some: these tests sync their files thousands of times.
    const std::filesystem::path memory = "/dev/shm";
    const std::filesystem::path parent =
        std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "tidemark-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline ColumnType Declared(DataType type, int32_t precision = 0, int32_t scale = 0) {
  ColumnType column;
  column.type = type;
  column.precision = precision;
  column.scale = scale;
  column.declared = true;
  return column;
}
inline ColumnType Inferred(DataType type, uint64_t max_abs = 0) {
  ColumnType column;
  column.type = type;
  column.max_abs = max_abs;
  return column;
}
inline TargetColumn KeyColumn(const std::string& name, ColumnType type) {
  return {name, name, type, true, false};
}
inline TargetColumn ValueColumn(const std::string& name, ColumnType type) {
  return {name, name, type, false, false};
}
inline TargetTable Table(const std::string& name, std::vector<TargetColumn> columns) {
  TargetTable table;
  table.name = name;
  table.source_name = name;
  table.columns = std::move(columns);
  return table;
}
// (id LONG key, name STRING, amount LONG)
inline TargetTable People() {
  return Table("people", {KeyColumn("id", Declared(DataType::kLong)),
                          ValueColumn("name", Declared(DataType::kString)),
                          ValueColumn("amount", Declared(DataType::kLong))});
}

// One change with its old row, if it carries one.
struct Change {
  ChangeKind kind;
  std::vector<Value> values;
  std::vector<Value> before = {};
  uint64_t sequence = 0;  // its place in the source's order
};

inline ChangeBatch Batch(TableHandle table, const std::vector<Change>& changes) {
  ChangeBatch batch;
  batch.table = table;
  for (const Change& change : changes) {
    if (!change.before.empty()) {
      batch.before_rows.push_back(batch.row_count);
      batch.before.insert(batch.before.end(), change.before.begin(), change.before.end());
    }
    batch.column_count = static_cast<uint32_t>(change.values.size());
    if (change.sequence != 0) {
      batch.meta.resize(changes.size());
      batch.meta[batch.row_count].sequence = change.sequence;
    }
    batch.ops.push_back(static_cast<uint8_t>(change.kind));
    batch.values.insert(batch.values.end(), change.values.begin(), change.values.end());
    ++batch.row_count;
  }
  return batch;
}

inline StateEntry State(const std::string& body, const std::string& table = "") {
  StateEntry state;
  state.table = table;
  state.body = body;
  state.cursor = absl::StrCat("cursor ", body);
  state.format = 1;
  return state;
}

// Reads a SQLite file through a connection of its own: what a user sees.
inline std::string Query(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  EXPECT_EQ(SQLITE_OK, sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr));
  std::string text;
  char* error = nullptr;
  auto row = [](void* context, int columns, char** values, char**) {
    std::string* out = static_cast<std::string*>(context);
    for (int i = 0; i < columns; ++i) {
      absl::StrAppend(out, i == 0 ? "" : "|", values[i] == nullptr ? "NULL" : values[i]);
    }
    out->push_back('\n');
    return 0;
  };
  sqlite3_busy_timeout(db, 5000);
  EXPECT_EQ(SQLITE_OK, sqlite3_exec(db, sql.c_str(), row, &text, &error))
      << (error == nullptr ? "" : error) << ": " << sql;
  sqlite3_free(error);
  sqlite3_close(db);
  return text;
}

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_DESTINATION_DESTINATION_FIXTURE_H_
