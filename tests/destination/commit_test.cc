// Data, state and counts commit together or not at all; who may commit; what is kept.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/destination/destination_conformance.h"

namespace tidemark {
namespace {

class DestinationCommitTest : public DestinationConformanceTest {
 protected:
  std::unique_ptr<DestinationReader> Reader() {
    auto reader = GetParam().read(folder_.path());
    EXPECT_TRUE(reader.ok()) << reader.status();
    return *std::move(reader);
  }
  std::vector<StateVersion> Log(bool bodies = false) {
    auto log = Reader()->StateLog("c", std::nullopt, bodies, 10'000);
    EXPECT_TRUE(log.ok()) << log.status();
    return *log;
  }
  // Acquires with settings of its own.
  void ReopenWith(RollbackHorizon horizon, HistoryRetention retention) {
    destination_ = nullptr;
    destination_ = *GetParam().open(folder_.path(), &clock_);
    auto acquired = destination_->Acquire({"c", "test holder", horizon, retention});
    ASSERT_TRUE(acquired.ok()) << acquired.status();
    acquired_ = *std::move(acquired);
  }
};

TEST_P(DestinationCommitTest, AVersionHoldsWhatWasCommitted) {
  clock_.Move(absl::Seconds(5));
  const ChangeCounts counts = Write(People(), {Upsert(1, "a", 1)}, "body");
  ASSERT_EQ(1u, result_.versions.size());
  const std::vector<StateVersion> log = Log(true);
  ASSERT_EQ(1u, log.size());
  EXPECT_EQ(1, log[0].version);
  EXPECT_EQ(0, log[0].parent);
  EXPECT_EQ(1, log[0].epoch);
  EXPECT_EQ("body", log[0].body);
  EXPECT_EQ("cursor body", log[0].cursor);
  EXPECT_EQ("s1", log[0].sync_id);
  EXPECT_EQ("g1", log[0].group_id);
  EXPECT_EQ(counts, log[0].counts);
  EXPECT_EQ(1'700'000'005'000'000, log[0].created_at_us);
  EXPECT_EQ(result_.versions[0].chain, log[0].chain);
  EXPECT_EQ(ComputeChain(log[0]), log[0].chain);
  EXPECT_TRUE(Reader()->VerifyState("c").ok());
}

TEST_P(DestinationCommitTest, ACommitWithoutACheckpointKeepsTheParentsBody) {
  Write(People(), {Upsert(1, "a", 1)}, "body");
  auto transaction = destination_->Begin();
  CommitRequest request = Request("", {});
  request.entries[0].state = std::nullopt;
  request.entries[0].counts.inserted = 3;
  ASSERT_TRUE((*transaction)->Commit(request).ok());
  Reopen();
  EXPECT_EQ("body", acquired_.states[0].body);
  EXPECT_EQ(2u, acquired_.states[0].version);
  EXPECT_EQ(3u, Log()[0].counts.inserted);
}

TEST_P(DestinationCommitTest, RollbackLeavesNothing) {
  Write(People(), {Upsert(1, "a", 1)}, "1");
  {
    auto transaction = destination_->Begin();
    std::vector<SchemaChange> changes;
    TargetTable wider = People();
    wider.columns.push_back(ValueColumn("extra", Declared(DataType::kString)));
    auto handle = (*transaction)->EnsureTable(wider, &changes);
    TargetTable other = People();
    other.name = other.source_name = "other";
    ASSERT_TRUE((*transaction)->EnsureTable(other, &changes).ok());
    ChangeCounts counts;
    ASSERT_TRUE((*transaction)
                    ->Apply(Batch(*handle, {Upsert(2, "b", 2)}), {1, false}, &counts, &refused_)
                    .ok());
    ASSERT_TRUE((*transaction)->WriteDeadLetter("s1", {}).ok());
  }  // destroyed without Commit
  EXPECT_EQ("1|a|1|0\n", Rows("people"));
  EXPECT_FALSE(Reader()->Rows("other", 1).ok());
  EXPECT_TRUE(Reader()->DeadLetters("c", 10)->empty());
  EXPECT_EQ(1u, Reader()->Tables("c")->size());
  // The destination goes on: the shape is what it was before.
  EXPECT_EQ("inserted 1", CountsText(Write(People(), {Upsert(2, "b", 2)}, "2")));
  EXPECT_TRUE(schema_changes_.empty());
}

TEST_P(DestinationCommitTest, EntriesAdvanceByThemselves) {
  auto transaction = destination_->Begin();
  CommitRequest request;
  request.sync_id = "s1";
  request.group_id = "g";
  StateEntry state = State("x", "users");
  state.schema = "public";
  request.entries.push_back({"public.users", 0, StateKind::kNormal, state, {}});
  request.entries.push_back({"orders", 0, StateKind::kNormal, State("y", "orders"), {}});
  ASSERT_TRUE((*transaction)->Commit(request).ok());
  transaction = destination_->Begin();
  request.entries.erase(request.entries.begin());
  request.entries[0].expected_version = 1;
  ASSERT_TRUE((*transaction)->Commit(request).ok());
  Reopen();
  ASSERT_EQ(2u, acquired_.states.size());
  EXPECT_EQ("orders", EntryName(acquired_.states[0]));
  EXPECT_EQ(2u, acquired_.states[0].version);
  EXPECT_EQ("public", acquired_.states[1].schema);
  EXPECT_EQ("users", acquired_.states[1].table);
  EXPECT_EQ(1u, acquired_.states[1].version);
}

// Invariant I3.
TEST_P(DestinationCommitTest, AStateThatIsNotWhereItShouldBeDiverges) {
  Write(People(), {Upsert(1, "a", 1)}, "1");
  for (const int64_t expected : {0, 2, 7}) {
    auto transaction = destination_->Begin();
    std::vector<SchemaChange> changes;
    auto handle = (*transaction)->EnsureTable(People(), &changes);
    ChangeCounts counts;
    ASSERT_TRUE((*transaction)
                    ->Apply(Batch(*handle, {Upsert(2, "b", 2)}), {1, false}, &counts, &refused_)
                    .ok());
    CommitRequest request = Request("2", counts);
    request.entries[0].expected_version = expected;
    auto result = (*transaction)->Commit(request);
    EXPECT_EQ(absl::StatusCode::kDataLoss, result.status().code());
    EXPECT_TRUE(absl::StrContains(result.status().message(), "DIVERGED"));
  }
  EXPECT_EQ("1|a|1|0\n", Rows("people"));
  EXPECT_EQ(1u, Log().size());
}

TEST_P(DestinationCommitTest, HistoryIsKeptUpToItsLimitsAndItsChainStillHolds) {
  ReopenWith({3'600'000'000, 10}, {20, 1 << 20});
  for (int i = 0; i < 50; ++i) Write(People(), {}, absl::StrCat("body ", i));
  std::vector<StateVersion> log = Log();
  ASSERT_EQ(20u, log.size());
  EXPECT_EQ(50, log.front().version);
  EXPECT_EQ(31, log.back().version);
  EXPECT_TRUE(Reader()->VerifyState("c").ok());
  Reopen();
  // Bytes count, too, but never at the cost of the rollback horizon.
  ReopenWith({3'600'000'000, 5}, {1000, 3000});
  for (int i = 0; i < 20; ++i) Write(People(), {}, std::string(500, static_cast<char>('a' + i)));
  log = Log(true);
  ASSERT_EQ(6u, log.size());
  for (const StateVersion& version : log) EXPECT_EQ(500u, version.body.size());
  for (int i = 0; i < 20; ++i) Write(People(), {}, std::string(100'000, 'z'));
  EXPECT_EQ(6u, Log().size());
  EXPECT_TRUE(Reader()->VerifyState("c").ok());
}

TEST_P(DestinationCommitTest, ABodyIsReleasableOnceItHasLeftTheHorizon) {
  ReopenWith({3'600'000'000, 2}, {});
  std::vector<std::string> told;
  for (const char* body : {"1", "2", "3", "3", "3", "3"}) {
    Write(People(), {}, body);
    told.push_back(result_.releasable.empty() ? "-" : result_.releasable[0].body);
  }
  EXPECT_EQ((std::vector<std::string>{"-", "-", "1", "2", "3", "-"}), told);
  clock_.Move(absl::Hours(2));
  Write(People(), {}, "4");  // by age, everything before it
  ReopenWith({3'600'000'000, 2}, {});
  ASSERT_EQ(1u, acquired_.releasable.size());
  EXPECT_EQ("3", acquired_.releasable[0].body);
}

TEST_P(DestinationCommitTest, ASecondHolderIsRefusedByName) {
  auto other = GetParam().open(folder_.path(), &clock_);
  ASSERT_TRUE(other.ok()) << other.status();
  auto acquired = (*other)->Acquire({"c", "somebody else", {}, {}});
  ASSERT_EQ(absl::StatusCode::kFailedPrecondition, acquired.status().code());
  EXPECT_TRUE(absl::StrContains(acquired.status().message(), "test holder")) << acquired.status();
  EXPECT_TRUE(absl::StrContains(acquired.status().message(), "since 2023-11-14T22:13:20Z"));
  // The first goes on; another connection is free; and so is this one afterwards.
  Write(People(), {Upsert(1, "a", 1)}, "1");
  EXPECT_TRUE((*other)->Acquire({"d", "somebody else", {}, {}}).ok());
  (*other)->Release();
  destination_->Release();
  acquired = (*other)->Acquire({"c", "somebody else", {}, {}});
  ASSERT_TRUE(acquired.ok()) << acquired.status();
  EXPECT_EQ(2, acquired->epoch);
}

TEST_P(DestinationCommitTest, ATableBelongsToOneConnection) {
  Write(People(), {Upsert(1, "a", 1)}, "1");
  auto other = *GetParam().open(folder_.path(), &clock_);
  ASSERT_TRUE(other->Acquire({"d", "d's holder", {}, {}}).ok());
  auto transaction = other->Begin();
  std::vector<SchemaChange> changes;
  auto handle = (*transaction)->EnsureTable(People(), &changes);
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, handle.status().code());
  EXPECT_TRUE(absl::StrContains(handle.status().message(), "belongs to connection \"c\""));
  // The transaction is still good for other tables.
  TargetTable mine = People();
  mine.name = mine.source_name = "mine";
  EXPECT_TRUE((*transaction)->EnsureTable(mine, &changes).ok());
}

TEST_P(DestinationCommitTest, AnotherKeyIsRefused) {
  Write(People(), {Upsert(1, "a", 1)}, "1");
  TargetTable target = People();
  target.columns[1].key = true;
  auto transaction = destination_->Begin();
  auto handle = (*transaction)->EnsureTable(target, &schema_changes_);
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, handle.status().code());
  EXPECT_TRUE(absl::StrContains(handle.status().message(), "(id, name)")) << handle.status();
}

TEST_P(DestinationCommitTest, SyncsAreRecordedAndClosedAfterAKill) {
  SyncRecord record;
  record.sync_id = "s1";
  record.connection = "c";
  record.source = "rest";
  record.destination = "warehouse";
  record.started_at_us = 1'700'000'000'000'000;
  record.status = "running";
  record.report_json = "{}";
  ASSERT_TRUE(destination_->BeginSync(record).ok());
  record.status = "completed";
  record.completed_at_us = record.started_at_us + 5;
  record.report_json = "{\"a\":1}";
  TableRecord table;
  table.table = "people";
  table.status = "completed";
  table.full = true;
  table.last_sync_timestamp = "2023-11-14T22:13:20Z";
  table.counts.inserted = 2;
  table.counts.unchanged = 3;
  record.tables.push_back(table);
  ASSERT_TRUE(destination_->FinishSync(record).ok());
  ASSERT_TRUE(destination_->FinishSync(record).ok());
  SyncRecord lost = record;
  lost.sync_id = "s2";
  lost.status = "running";
  lost.completed_at_us = kNoTime;
  lost.started_at_us += 1'000'000;
  lost.tables.clear();
  ASSERT_TRUE(destination_->BeginSync(lost).ok());
  Reopen();
  EXPECT_EQ(std::vector<std::string>{"s2"}, acquired_.closed_syncs);
  auto syncs = Reader()->Syncs("c", 10);
  ASSERT_TRUE(syncs.ok()) << syncs.status();
  ASSERT_EQ(2u, syncs->size());
  EXPECT_EQ("failed", (*syncs)[0].status);
  EXPECT_EQ("process ended", (*syncs)[0].reason);
  EXPECT_NE(kNoTime, (*syncs)[0].completed_at_us);
  EXPECT_EQ("{\"a\":1}", (*syncs)[1].report_json);
  ASSERT_EQ(1u, (*syncs)[1].tables.size());
  EXPECT_EQ(table.counts, (*syncs)[1].tables[0].counts);
  EXPECT_TRUE((*syncs)[1].tables[0].full);
  EXPECT_EQ("completed", Reader()->Sync("s1")->status);
  EXPECT_TRUE(absl::IsNotFound(Reader()->Sync("s3").status()));
}

TEST_P(DestinationCommitTest, DeadLettersKeepTheirContextAndCountAttempts) {
  const DeadLetter letter = {"people",
                             "1",
                             "{\"id\":1}",
                             "a name is too long",
                             absl::StatusCode::kInvalidArgument,
                             "{\"url\":\"http://x\"}"};
  for (const char* sync : {"s1", "s2"}) {
    auto transaction = destination_->Begin();
    ASSERT_TRUE((*transaction)->WriteDeadLetter(sync, letter).ok());
    ASSERT_TRUE((*transaction)->Commit(Request("1", {})).ok());
    ++version_;
    clock_.Move(absl::Seconds(1));
  }
  auto letters = Reader()->DeadLetters("c", 10);
  ASSERT_TRUE(letters.ok()) << letters.status();
  ASSERT_EQ(1u, letters->size());
  const StoredDeadLetter& stored = (*letters)[0];
  EXPECT_EQ(2, stored.attempts);
  EXPECT_EQ("s2", stored.sync_id);
  EXPECT_EQ(1'000'000, stored.last_seen_us - stored.first_seen_us);
  EXPECT_EQ(letter.change_json, stored.letter.change_json);
  EXPECT_EQ(letter.context_json, stored.letter.context_json);
  EXPECT_EQ(letter.code, stored.letter.code);
  ASSERT_TRUE(Reader()->MarkDeadLetter(stored.id, "discarded").ok());
  EXPECT_EQ("discarded", Reader()->DeadLetterById(stored.id)->status);
  EXPECT_TRUE(absl::IsNotFound(Reader()->MarkDeadLetter(stored.id + 1, "discarded")));
}

TEST_P(DestinationCommitTest, AReaderSeesTheLastCommitBesideAnOpenTransaction) {
  Write(People(), {Upsert(1, "a", 1)}, "1");
  auto transaction = destination_->Begin();
  auto handle = (*transaction)->EnsureTable(People(), &schema_changes_);
  ChangeCounts counts;
  ASSERT_TRUE((*transaction)
                  ->Apply(Batch(*handle, {Upsert(2, "b", 2)}), {1, false}, &counts, &refused_)
                  .ok());
  EXPECT_EQ("1|a|1|0\n", Rows("people"));
  EXPECT_EQ(std::vector<std::string>{"c"}, *Reader()->Connections());
  ASSERT_TRUE((*transaction)->Commit(Request("2", counts)).ok());
  EXPECT_EQ("1|a|1|0\n2|b|2|0\n", Rows("people"));
}

INSTANTIATE_TEST_SUITE_P(All, DestinationCommitTest, DestinationKinds(), KindName);

}  // namespace
}  // namespace tidemark
