// Producers of one connection share its tables (server/destination/table_owner.h).
#include <memory>
#include <string>
#include <vector>

#include "destination/table_owner.h"
#include "tests/destination/destination_fixture.h"

namespace tidemark {
namespace {

TEST(TableOwnerTest, ProducersOfOneConnectionMayWriteEachOthersTables) {
  EXPECT_TRUE(MayWrite("c/a", "c/a"));
  EXPECT_TRUE(MayWrite("c/a", "c/b"));
  EXPECT_TRUE(MayWrite("c", "c/b"));
  EXPECT_TRUE(MayWrite("c/*", "c/b"));
  EXPECT_TRUE(MayWrite("c/*", "c"));
  EXPECT_FALSE(MayWrite("c/a", "d/a"));
  EXPECT_FALSE(MayWrite("c", "c2/a"));
  EXPECT_FALSE(MayWrite("c", "d"));
  EXPECT_EQ(SharedOwner("c/a"), "c/*");
  EXPECT_EQ(SharedOwner("c"), "c/*");
}

class SharedTablesTest : public ::testing::Test {
 protected:
  // One that has its connection.
  std::unique_ptr<Destination> Producer(const std::string& name) {
    SqliteOptions options;
    options.path = path_;
    options.clock = &clock_;
    auto destination = OpenSqliteDestination(options);
    EXPECT_TRUE(destination.ok()) << destination.status();
    auto acquired = (*destination)->Acquire({name, "test", {}, {}});
    EXPECT_TRUE(acquired.ok()) << acquired.status();
    acquired_ = *std::move(acquired);
    return *std::move(destination);
  }
  // A commit with the given rows; what EnsureTable or the rest says.
  absl::Status Write(Destination& destination, const TargetTable& table,
                     const std::vector<Change>& changes, bool truncate = false) {
    auto transaction = destination.Begin();
    if (!transaction.ok()) return transaction.status();
    std::vector<SchemaChange> told;
    auto handle = (*transaction)->EnsureTable(table, &told);
    if (!handle.ok()) return handle.status();
    if (truncate) {
      absl::Status set = (*transaction)->SetTruncateBefore(*handle, 1);
      if (!set.ok()) return set;
    }
    ChangeCounts counts;
    std::vector<RefusedRow> refused;
    ApplyOptions options;
    options.synced_us = 10;
    if (!changes.empty()) {
      absl::Status applied =
          (*transaction)->Apply(Batch(*handle, changes), options, &counts, &refused);
      if (!applied.ok()) return applied;
    }
    CommitRequest request;
    request.sync_id = "s";
    request.group_id = "g";
    request.last_synced_us = 10;
    return (*transaction)->Commit(request).status();
  }
  static Change Person(int64_t id) {
    return {ChangeKind::kUpsert, {Value::Int64(id), Value::String("n"), Value::Int64(1)}};
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_ / "w.db";
  StandingClock clock_;
  Acquired acquired_;
};

TEST_F(SharedTablesTest, TwoProducersWriteOneTableAndAnotherConnectionMayNot) {
  auto a = Producer("c/a");
  ASSERT_TRUE(Write(*a, People(), {Person(1)}).ok());
  EXPECT_EQ("c/a\n", Query(path_, "SELECT connection FROM _tidemark_tables"));
  auto b = Producer("c/b");
  ASSERT_EQ(1u, acquired_.tables.size());
  ASSERT_TRUE(Write(*b, People(), {Person(2)}).ok());
  EXPECT_EQ("c/*\n", Query(path_, "SELECT connection FROM _tidemark_tables"));
  ASSERT_TRUE(Write(*a, People(), {Person(3)}).ok());
  auto d = Producer("d/a");
  EXPECT_TRUE(acquired_.tables.empty());
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, Write(*d, People(), {Person(4)}).code());
  EXPECT_EQ("1\n2\n3\n", Query(path_, "SELECT id FROM people ORDER BY id"));
  // What is shared is known to be so from the start.
  a = nullptr;
  a = Producer("c/a");
  ASSERT_EQ(1u, acquired_.tables.size());
  EXPECT_TRUE(acquired_.tables[0].shared);
}

TEST_F(SharedTablesTest, TruncateNeedsATableOfItsOwn) {
  auto a = Producer("c/a");
  ASSERT_TRUE(Write(*a, People(), {Person(1)}).ok());
  auto b = Producer("c/b");
  ASSERT_TRUE(Write(*b, People(), {Person(2)}).ok());
  // `a` has not heard of `b` yet.
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, Write(*a, People(), {}, true).code());
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, Write(*b, People(), {}, true).code());
  EXPECT_EQ("NULL\n", Query(path_, "SELECT truncate_before FROM _tidemark_tables"));
}

TEST_F(SharedTablesTest, WhileATruncateWaitsNobodyElseMayWrite) {
  auto a = Producer("c/a");
  auto b = Producer("c/b");
  ASSERT_TRUE(Write(*a, People(), {Person(1)}).ok());
  ASSERT_TRUE(Write(*a, People(), {Person(2)}, true).ok());
  const absl::Status refused = Write(*b, People(), {Person(3)});
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, refused.code());
  EXPECT_NE(refused.message().find("c/a"), absl::string_view::npos) << refused;
  EXPECT_EQ("c/a\n", Query(path_, "SELECT connection FROM _tidemark_tables"));
  // Nor is the truncate anybody else's to finish.
  b = nullptr;
  b = Producer("c/b");
  ASSERT_EQ(1u, acquired_.tables.size());
  EXPECT_EQ(kNoTime, acquired_.tables[0].truncate_before_us);
}

TEST_F(SharedTablesTest, WiderTypesOfOneProducerReachTheOthers) {
  TargetTable narrow = Table("t", {KeyColumn("id", Declared(DataType::kLong)),
                                   ValueColumn("a", Inferred(DataType::kLong, 5))});
  TargetTable wide = narrow;
  wide.columns[1].type = Inferred(DataType::kString);
  const Change number{ChangeKind::kUpsert, {Value::Int64(1), Value::Int64(5)}};
  const Change text{ChangeKind::kUpsert, {Value::Int64(2), Value::String("x")}};
  auto a = Producer("c/a");
  ASSERT_TRUE(Write(*a, narrow, {number}).ok());
  auto b = Producer("c/b");
  ASSERT_TRUE(Write(*b, wide, {text}).ok());
  EXPECT_TRUE(b->TakeReshaped().empty());
  const absl::Status aborted = Write(*a, narrow, {number});
  EXPECT_EQ(absl::StatusCode::kAborted, aborted.code()) << aborted;
  const std::vector<StoredTable> reshaped = a->TakeReshaped();
  ASSERT_EQ(1u, reshaped.size());
  EXPECT_TRUE(reshaped[0].shared);
  EXPECT_EQ(DataType::kString, reshaped[0].table.columns[1].type.type);
  EXPECT_TRUE(a->TakeReshaped().empty());
  ASSERT_TRUE(Write(*a, wide, {text}).ok());
  EXPECT_EQ("text\ntext\n", Query(path_, "SELECT typeof(a) FROM t ORDER BY id"));
}

TEST_F(SharedTablesTest, LargestNumberOfAllProducersIsKept) {
  const auto table = [](uint64_t max_abs) {
    return Table("t", {KeyColumn("id", Declared(DataType::kLong)),
                       ValueColumn("a", Inferred(DataType::kLong, max_abs))});
  };
  auto a = Producer("c/a");
  ASSERT_TRUE(Write(*a, table(5), {}).ok());
  auto b = Producer("c/b");
  ASSERT_TRUE(Write(*b, table(uint64_t{1} << 60), {}).ok());
  ASSERT_TRUE(Write(*a, table(6), {}).ok());
  EXPECT_EQ(absl::StrCat(uint64_t{1} << 60, "\n"),
            Query(path_, "SELECT max_abs FROM _tidemark_columns WHERE column_name = 'a'"));
}

}  // namespace
}  // namespace tidemark
