// What every Destination promises (destination/destination.h), run against each of them.
#include <functional>
#include <memory>
#include <string>

#include "destination/destination.h"
#include "destination/sqlite_destination.h"
#include "gtest/gtest.h"
#include "tests/destination/destination_fixture.h"

namespace tidemark {
namespace {

// A destination under test: how to open the same one again and again.
struct Kind {
  std::string name;
  std::function<absl::StatusOr<std::unique_ptr<Destination>>(const std::string& folder,
                                                             Clock* clock)>
      open;
  std::function<absl::StatusOr<std::unique_ptr<DestinationReader>>(const std::string& folder)>
      read;
};

class DestinationConformanceTest : public testing::TestWithParam<Kind> {
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

Change Upsert(int64_t id, const char* name, int64_t amount) {
  return {ChangeKind::kUpsert,
          {Value::Int64(id), name == nullptr ? Value::Null() : Value::String(name),
           Value::Int64(amount)}};
}

TEST_P(DestinationConformanceTest, TellsInsertedUpdatedAndUnchangedApart) {
  ChangeCounts counts = Write(People(), {Upsert(1, "a", 1), Upsert(2, "b", 2)}, "1");
  EXPECT_EQ(2u, counts.inserted);
  counts = Write(People(), {Upsert(1, "a", 1), Upsert(2, "b", 3), Upsert(3, nullptr, 0)}, "2");
  EXPECT_EQ(1u, counts.inserted);
  EXPECT_EQ(1u, counts.updated);
  EXPECT_EQ(1u, counts.unchanged);
  EXPECT_EQ("1|a|1|0\n2|b|3|0\n3|NULL|0|0\n", Rows("people"));
  Reopen();
  ASSERT_EQ(1u, acquired_.states.size());
  EXPECT_EQ("2", acquired_.states[0].body);
  EXPECT_EQ(2u, acquired_.states[0].version);
  EXPECT_EQ(2, acquired_.epoch);
}

INSTANTIATE_TEST_SUITE_P(
    Sqlite, DestinationConformanceTest,
    testing::Values(Kind{
        "Sqlite",
        [](const std::string& folder, Clock* clock) {
          return OpenSqliteDestination({folder + "/w.db", "tidemark test", clock});
        },
        [](const std::string& folder) { return OpenSqliteReader(folder + "/w.db"); }}),
    [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace tidemark
