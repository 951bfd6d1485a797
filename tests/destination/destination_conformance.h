// The fixture of the suites that every Destination passes. A suite is instantiated with
// DestinationKinds().
#ifndef TIDEMARK_TESTS_DESTINATION_DESTINATION_CONFORMANCE_H_
#define TIDEMARK_TESTS_DESTINATION_DESTINATION_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "destination/destination.h"
#include "destination/sqlite_destination.h"
#include "gtest/gtest.h"
#include "tests/destination/destination_fixture.h"

namespace tidemark {

// A destination under test: how to open the same one again and again.
struct DestinationKind {
  std::string name;
  std::function<absl::StatusOr<std::unique_ptr<Destination>>(const std::string& folder,
                                                             Clock* clock)>
      open;
  std::function<absl::StatusOr<std::unique_ptr<DestinationReader>>(const std::string& folder)> read;
};

class DestinationConformanceTest : public testing::TestWithParam<DestinationKind> {
 protected:
  void Open() {
    auto opened = GetParam().open(folder_.path(), &clock_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    destination_ = *std::move(opened);
    auto acquired = destination_->Acquire({"c", "test holder", {}, {}});
    ASSERT_TRUE(acquired.ok()) << acquired.status();
    acquired_ = *std::move(acquired);
  }
  void Reopen() {
    destination_ = nullptr;
    Open();
  }
  void SetUp() override { Open(); }

  // Applies `changes` to `target` in one transaction and commits `body` as the state.
  ChangeCounts Write(const TargetTable& target, const std::vector<Change>& changes,
                     const std::string& body, ApplyOptions options = {}) {
    ChangeCounts counts;
    auto transaction = destination_->Begin();
    EXPECT_TRUE(transaction.ok()) << transaction.status();
    schema_changes_.clear();
    auto handle = (*transaction)->EnsureTable(target, &schema_changes_);
    EXPECT_TRUE(handle.ok()) << handle.status();
    refused_.clear();
    if (options.synced_us == 0) options.synced_us = ++synced_us_;
    absl::Status applied =
        (*transaction)->Apply(Batch(*handle, changes), options, &counts, &refused_);
    EXPECT_TRUE(applied.ok()) << applied;
    auto result = (*transaction)->Commit(Request(body, counts));
    EXPECT_TRUE(result.ok()) << result.status();
    if (result.ok()) result_ = *std::move(result);
    ++version_;
    return counts;
  }
  CommitRequest Request(const std::string& body, const ChangeCounts& counts) {
    CommitRequest request;
    request.sync_id = "s1";
    request.group_id = absl::StrCat("g", ++groups_);
    request.entries.push_back({"", version_, StateKind::kNormal, State(body), counts});
    request.last_synced_us = synced_us_;
    return request;
  }
  std::string Rows(const std::string& table) {
    auto reader = GetParam().read(folder_.path());
    EXPECT_TRUE(reader.ok()) << reader.status();
    auto page = (*reader)->Rows(table, 1000);
    EXPECT_TRUE(page.ok()) << page.status();
    std::string text;
    for (const auto& row : page->rows) {
      for (size_t i = 0; i < row.size(); ++i) {
        if (page->columns[i] == kSyncedColumn) continue;
        absl::StrAppend(&text, i == 0 ? "" : "|", row[i].value_or("NULL"));
      }
      text += "\n";
    }
    return text;
  }

  TemporaryFolder folder_;
  StandingClock clock_;
  std::unique_ptr<Destination> destination_;
  Acquired acquired_;
  CommitResult result_;
  std::vector<SchemaChange> schema_changes_;
  std::vector<RefusedRow> refused_;
  int64_t version_ = 0;
  int64_t synced_us_ = 1'600'000'000'000'000;
  int groups_ = 0;
};

inline auto DestinationKinds() {
  return testing::Values(DestinationKind{
      "Sqlite",
      [](const std::string& folder, Clock* clock) {
        return OpenSqliteDestination({folder + "/w.db", "tidemark test", clock});
      },
      [](const std::string& folder) { return OpenSqliteReader(folder + "/w.db"); }});
}
inline std::string KindName(const testing::TestParamInfo<DestinationKind>& kind) {
  return kind.param.name;
}

inline Change Upsert(int64_t id, const char* name, int64_t amount) {
  return {ChangeKind::kUpsert,
          {Value::Int64(id), name == nullptr ? Value::Null() : Value::String(name),
           Value::Int64(amount)}};
}
inline Change Delete(int64_t id) {
  return {ChangeKind::kDelete, {Value::Int64(id), Value::Null(), Value::Null()}};
}
// Sets the amount only.
inline Change Update(int64_t id, int64_t amount) {
  return {ChangeKind::kUpdate, {Value::Int64(id), Value::Unchanged(), Value::Int64(amount)}};
}
// Gives the row `from` the key `to`.
inline Change Move(int64_t from, int64_t to, Value amount = Value::Unchanged()) {
  return {ChangeKind::kUpdate,
          {Value::Int64(to), Value::Unchanged(), amount},
          {Value::Int64(from), Value::Unchanged(), Value::Unchanged()}};
}

// The same with every value.
inline Change MoveWhole(int64_t from, int64_t to, const char* name, int64_t amount,
                        uint64_t sequence = 0) {
  Change change = Upsert(to, name, amount);
  change.kind = ChangeKind::kUpdate;
  change.before = {Value::Int64(from), Value::Unchanged(), Value::Unchanged()};
  change.sequence = sequence;
  return change;
}

// "inserted 1, updated 2": the counts that are not zero.
inline std::string CountsText(const ChangeCounts& counts) {
  std::vector<std::string> parts;
  auto add = [&parts](const char* name, uint64_t count) {
    if (count != 0) parts.push_back(absl::StrCat(name, " ", count));
  };
  add("inserted", counts.inserted);
  add("updated", counts.updated);
  add("deleted", counts.deleted);
  add("unchanged", counts.unchanged);
  add("superseded", counts.superseded);
  add("missing", counts.missing);
  add("collapsed", counts.duplicates_collapsed);
  return absl::StrJoin(parts, ", ");
}

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_DESTINATION_DESTINATION_CONFORMANCE_H_
