// Commit groups, state entries, acknowledgements and interruption.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/pipeline/sync_fixture.h"

namespace tidemark {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class GroupsTest : public SyncFixture {
 protected:
  GroupsTest() {
    play_.tables = {Table("a", {{"id", DataType::kLong, true}, {"v", DataType::kLong}}),
                    Table("b", {{"id", DataType::kLong, true}, {"v", DataType::kLong}})};
  }
  static Rows One(uint32_t table, int id, int v = 0) { return Rows(table, 2).Upsert({id, v}); }
  // The bodies of the commits' entries: "=2" connection-wide, "a=2" of a table, "a" without state.
  std::vector<std::string> Commits() const {
    std::vector<std::string> lines;
    for (const CommitRequest& commit : watch_.commits) {
      std::string line;
      for (const EntryCommit& entry : commit.entries) {
        absl::StrAppend(&line, line.empty() ? "" : " ", entry.entry,
                        entry.state.has_value() ? "=" : "", entry.state ? entry.state->body : "",
                        ":", entry.counts.Sum());
      }
      lines.push_back(line);
    }
    return lines;
  }
  std::vector<uint64_t> Durable() const {
    std::vector<uint64_t> ids;
    ids.reserve(play_.acknowledgements.size());
    for (const Acknowledgement& a : play_.acknowledgements) ids.push_back(a.durable);
    return ids;
  }
  Play play_;
};

TEST_F(GroupsTest, ChecksPointsThatAreThereAlreadyCommitTogether) {
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), Mark(1, "1"), Say(One(0, 2)), Mark(2, "2"),
                  WaitFor(absl::Seconds(1)), Say(One(0, 3)), Mark(3, "3"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Commits(), ElementsAre("=2:2", "=3:1"));
  EXPECT_THAT(Durable(), ElementsAre(2U, 3U));
  EXPECT_EQ(outcome.checkpoints, 3U);
  EXPECT_EQ(outcome.state[0].after, 2);
}

TEST_F(GroupsTest, CommitsAfterEnoughRowsBytesOrTime) {
  struct Case {
    const char* what;
    GroupLimits limits;
    absl::Duration pause;
  };
  GroupLimits rows;
  rows.rows = 2;
  GroupLimits bytes;
  bytes.bytes = 30;
  GroupLimits age;
  int n = 0;
  for (const Case& c : {Case{"rows", rows, {}}, Case{"bytes", bytes, {}},
                        Case{"age", age, absl::Milliseconds(200)}}) {
    watch_.commits.clear();
    play_.acknowledgements.clear();
    options_.group = c.limits;
    ++n;
    play_.script = [&](const UpdateStart&) {
      return Script(Say(One(0, 1, n)), Mark(1, absl::StrCat(n, "1")), Say(One(0, 2, n)),
                    Do([&] { clock_.Advance(c.pause); }), Mark(2, absl::StrCat(n, "2")),
                    Say(One(0, 3, n)), Mark(3, absl::StrCat(n, "3")), Done());
    };
    EXPECT_EQ(Run(play_).status, SyncStatus::kCompleted);
    EXPECT_THAT(Durable(), ElementsAre(2U, 3U)) << c.what;
  }
}

TEST_F(GroupsTest, TimeBasedGroupsCommitWhenTheirTimeHasCome) {
  options_.group.when_idle = false;
  options_.group.age = absl::Seconds(5);
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), Mark(1, "1"), WaitFor(absl::Seconds(4)), Say(One(0, 2)),
                  Mark(2, "2"), WaitFor(absl::Seconds(4)), Say(One(0, 3)), Mark(3, "3"), Done());
  };
  Run(play_);
  EXPECT_THAT(Commits(), ElementsAre("=2:2", "=3:1"));
}

TEST_F(GroupsTest, FlushCommitsAtTheLastCheckpointEvenBehindIt) {
  options_.group.when_idle = false;
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), Mark(1, "1"), Say(SourceEvent(FlushRequest())), Say(One(0, 2)),
                  Mark(2, "2"), Say(One(0, 3)), Say(SourceEvent(FlushRequest())), Say(One(0, 4)),
                  Say(SourceEvent(FlushRequest())), Mark(3, "3"), Done());
  };
  Run(play_);
  EXPECT_THAT(Commits(), ElementsAre("=1:1", "=2:2", "=3:1"));
  EXPECT_THAT(Durable(), ElementsAre(1U, 2U, 3U));
}

TEST_F(GroupsTest, FlushDoesNotSplitATransactionOfTheSource) {
  options_.group.when_idle = false;
  play_.capabilities = kSourceTransactions;
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), Mark(1, "1"), Say(One(0, 2)), Say(SourceEvent(FlushRequest())),
                  Say(One(0, 3)), Mark(2, "2"), Say(One(0, 4)), Mark(3, "3"), Done());
  };
  Run(play_);
  EXPECT_THAT(Commits(), ElementsAre("=2:3", "=3:1"));
}

TEST_F(GroupsTest, ASilentSourceDoesNotHoldTheTransaction) {
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), Mark(1, "1"), WaitFor(absl::Milliseconds(1)), Say(One(0, 2)),
                  WaitFor(absl::Seconds(61)), Say(One(0, 3)), Mark(2, "2"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Commits(), ElementsAre("=1:1", ":1", "=2:1"));
  EXPECT_THAT(Durable(), ElementsAre(1U, 2U)) << "nothing new was durable after the second";
  EXPECT_THAT(Query("SELECT version FROM _tidemark_state_history"), SizeIs(3));
}

TEST_F(GroupsTest, AnOverdueTransactionThatMustNotSplitStaysOpenWithAWarning) {
  for (const bool keyless : {false, true}) {
    watch_.commits.clear();
    Play play;
    play.tables = {
        Table(keyless ? "log" : "c", {{"id", DataType::kLong, !keyless}, {"v", DataType::kLong}})};
    play.capabilities = keyless ? uint64_t{0} : uint64_t{kSourceTransactions};
    play.script = [&](const UpdateStart&) {
      return Script(Say(One(0, 1)), WaitFor(absl::Seconds(300)), Say(One(0, 2)),
                    Mark(1, keyless ? "k" : "t"), Done());
    };
    const SyncOutcome outcome = Run(play);
    EXPECT_THAT(watch_.commits, SizeIs(1)) << keyless;
    EXPECT_TRUE(Warned(outcome, "stays open for more than 1m")) << keyless;
  }
}

TEST_F(GroupsTest, TailWithoutACheckpointCommitsAtTheEndWithTheParentsBody) {
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), Mark(1, "1"), WaitFor(absl::Seconds(1)), Say(One(0, 2)), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Commits(), ElementsAre("=1:1", ":1"));
  EXPECT_EQ(outcome.state[0].after, 2);
  EXPECT_EQ(outcome.state[0].body, "1");
  EXPECT_THAT(Live("a", "id"), ElementsAre("1", "2"));
}

TEST_F(GroupsTest, KeyChangesAreNeverDurableAheadOfTheirState) {
  // Replayed, the change of 1 to 2 would move the new row 1.
  play_.script = [](const UpdateStart& start) {
    if (start.states.empty()) {
      return Script(Say(Rows(0, 2).Upsert({1, 10})), Mark(1, "1"), WaitFor(absl::Seconds(1)),
                    Say(Rows(0, 2).Update({2, Unchanged()}).Before({1}).Upsert({1, 20})),
                    WaitFor(absl::Seconds(100)), Say(One(0, 9)), Done());
    }
    return Script(Say(Rows(0, 2).Update({2, Unchanged()}).Before({1}).Upsert({1, 20})),
                  Mark(1, "2"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kPartial);
  EXPECT_TRUE(Warned(outcome, "the last 3 changes are not kept"));
  EXPECT_THAT(Commits(), ElementsAre("=1:1"));
  EXPECT_EQ(Run(play_).status, SyncStatus::kCompleted);
  EXPECT_THAT(Live("a", "id, v"), ElementsAre("1|20", "2|10"));
}

TEST_F(GroupsTest, ACheckpointOfAnotherTableCommitsNoKeyChangeAheadOfItsState) {
  // Replayed, the change of 1 to 3 would move the new row 1.
  const auto changes = [] {
    return Rows(1, 2).Update({3, Unchanged()}).Before({1}).Upsert({1, 20});
  };
  const auto quiet = [] { return WaitFor(absl::Seconds(1)); };
  const auto overdue = [] { return WaitFor(absl::Seconds(100)); };
  const auto flush = [] { return Say(SourceEvent(FlushRequest())); };
  const auto nothing = [] { return Do([] {}); };
  const auto end = [] { return Done(); };
  struct Case {
    const char* what;
    std::function<Move()> then;
    std::function<Move()> last;
  };
  const auto fails = [] { return Done(absl::InvalidArgumentError("the token is wrong")); };
  const auto dies = [] { return Break(absl::InvalidArgumentError("the pipe is gone")); };
  const Case cases[] = {{"failure", nothing, fails}, {"crash", nothing, dies},
                        {"quiet", quiet, fails},     {"overdue", overdue, fails},
                        {"flush", flush, fails},     {"end", nothing, end}};
  play_.capabilities = kCanTableState;
  int n = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.what);
    play_.tables[1].name = absl::StrCat("b", ++n);
    const std::string b = play_.tables[1].name;
    options_.connection = b;
    play_.tables[0].name = absl::StrCat("a", n);
    const std::string a = play_.tables[0].name;
    play_.script = [&](const UpdateStart&) {
      return Script(Say(Rows(1, 2).Upsert({1, 10})), MarkTables(1, {{b, "b1"}}), quiet(),
                    Say(changes()), MarkTables(2, {{a, "a1"}}), c.then(), c.last());
    };
    EXPECT_NE(Run(play_).status, SyncStatus::kCompleted);
    EXPECT_THAT(Live(b, "id, v"), ElementsAre("1|10"));
    play_.script = [&](const UpdateStart&) {
      return Script(Say(changes()), MarkTables(1, {{b, "b2"}}), Done());
    };
    EXPECT_EQ(Run(play_).status, SyncStatus::kCompleted);
    EXPECT_THAT(Live(b, "id, v"), ElementsAre("1|20", "3|10"));
  }
}

TEST_F(GroupsTest, KeyChangesCommitWithACheckpointOfTheirTable) {
  play_.capabilities = kCanTableState;
  play_.script = [](const UpdateStart&) {
    return Script(Say(Rows(1, 2).Upsert({1, 1}).Update({2, Unchanged()}).Before({1})),
                  MarkTables(1, {{"a", "a1"}}), WaitFor(absl::Seconds(1)),
                  MarkTables(2, {{"b", "b1"}}), Say(One(0, 1)), WaitFor(absl::Seconds(61)),
                  MarkTables(3, {{"a", "a2"}}), Done());
  };
  EXPECT_EQ(Run(play_).status, SyncStatus::kCompleted);
  EXPECT_THAT(Commits(), ElementsAre("a=a1:0 b=b1:2", "a:1", "a=a2:0"));
}

TEST_F(GroupsTest, ACheckpointOfAnotherTableDoesNotSplitATransactionOfTheSource) {
  play_.capabilities = kCanTableState | kSourceTransactions;
  for (const bool fails : {true, false}) {
    play_.script = [&](const UpdateStart&) {
      return Script(Say(One(1, 1)), MarkTables(1, {{"a", "a1"}}), WaitFor(absl::Seconds(1)),
                    Done(fails ? absl::InvalidArgumentError("no") : absl::OkStatus()));
    };
    const SyncOutcome outcome = Run(play_);
    EXPECT_EQ(outcome.status, fails ? SyncStatus::kFailed : SyncStatus::kPartial);
    EXPECT_THAT(Commits(), IsEmpty());
    EXPECT_EQ(Warned(outcome, "the last 1 changes are not kept"), !fails);
  }
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(1, 1)), MarkTables(1, {{"a", "a1"}}), Say(One(1, 2)),
                  MarkTables(2, {{"b", "b1"}}), Done());
  };
  EXPECT_EQ(Run(play_).status, SyncStatus::kCompleted);
  EXPECT_THAT(Commits(), ElementsAre("a=a1:0 b=b1:2"));
}

TEST_F(GroupsTest, ATableWithoutKeyAndWithoutRowsHoldsNothingBack) {
  play_.tables.push_back(Table("log", {{"line", DataType::kString}}));
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), WaitFor(absl::Seconds(61)), Say(One(0, 2)), Mark(1, "1"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Commits(), ElementsAre(":1", "=1:1"));
  EXPECT_FALSE(Warned(outcome, "stays open"));
}

TEST_F(GroupsTest, ACheckpointOfATableThatDoesNotExistIsRefused) {
  play_.capabilities = kCanTableState;
  options_.only_listed_tables = true;
  options_.tables.resize(1);
  options_.tables[0].pattern = "a";
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), MarkTables(1, {{"b", "not selected"}}), WaitFor(absl::Seconds(1)),
                  Say(One(0, 2)), MarkTables(2, {{"c", "c1"}}), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.error.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(outcome.error.message()),
              ::testing::HasSubstr(
                  "a checkpoint names table c, which is neither in the schema nor defined"));
  EXPECT_THAT(Commits(), ElementsAre("a:1 b=not selected:0"));
}

TEST_F(GroupsTest, AConnectorWithoutCheckpointsKeepsItsRowsAndBeginsAnewNextTime) {
  play_.script = [](const UpdateStart&) { return Script(Say(One(0, 1)), Done()); };
  EXPECT_EQ(Run(play_).status, SyncStatus::kCompleted);
  EXPECT_THAT(Live("a", "id"), ElementsAre("1"));
  Run(play_);
  EXPECT_THAT(play_.starts[1].states, IsEmpty());
}

TEST_F(GroupsTest, CountsGoToTheTablesEntryWhereTheConnectorUsesOne) {
  play_.capabilities = kCanTableState;
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), Say(One(1, 1)), Say(One(1, 2)),
                  MarkTables(1, {{"a", "a1"}, {"b", "b1"}}), WaitFor(absl::Seconds(1)),
                  Say(One(0, 2)), Say(One(1, 3)), MarkTables(2, {{"a", "a2"}}), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Commits(), ElementsAre("a=a1:1 b=b1:2", "a=a2:1 b:1"));
  ASSERT_THAT(outcome.state, SizeIs(2));
  EXPECT_EQ(outcome.state[0].entry, "a");
  EXPECT_EQ(outcome.state[0].after, 2);
  EXPECT_EQ(outcome.state[1].after, 2);
  EXPECT_EQ(outcome.state[1].body, "b1") << "its parent's body";
  EXPECT_EQ(outcome.tables[0].high_water_mark, "a2");
  EXPECT_EQ(outcome.tables[1].high_water_mark, "b1");
}

TEST_F(GroupsTest, ConnectionWideAndTableEntryMoveInOneCheckpoint) {
  play_.script = [](const UpdateStart&) {
    Checkpoint both;
    both.id = 1;
    both.states.resize(2);
    both.states[0].body = "log position";
    both.states[1].table = "b";
    both.states[1].body = "snapshot position";
    return Script(Say(One(0, 1)), Say(One(1, 1)), Say(SourceEvent(both)), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Commits(), ElementsAre("=log position:1 b=snapshot position:1"));
  Run(play_);
  EXPECT_THAT(play_.starts[1].states, SizeIs(2));
}

TEST_F(GroupsTest, NothingIsAcknowledgedBeforeItIsDurable) {
  watch_.before_commit = [&](const CommitRequest&) {
    EXPECT_THAT(play_.acknowledgements, IsEmpty());  // Invariant I2
    return absl::OkStatus();
  };
  play_.script = [](const UpdateStart&) { return Script(Say(One(0, 1)), Mark(1, "1"), Done()); };
  Run(play_);
  EXPECT_THAT(Durable(), ElementsAre(1U));
}

TEST_F(GroupsTest, ReleasableBodiesComeWithAcknowledgementsAndBeforeTheNextStart) {
  play_.script = [&](const UpdateStart&) {
    return Script(Say(One(0, 1)), Mark(1, "1"), WaitFor(absl::Hours(2)), Say(One(0, 2)),
                  Mark(2, "2"), Done());
  };
  Run(play_);
  ASSERT_THAT(play_.acknowledgements, SizeIs(2));
  EXPECT_THAT(play_.acknowledgements[0].releasable, IsEmpty());
  clock_.Advance(absl::Hours(2));
  Run(play_);
  ASSERT_THAT(play_.starts[1].releasable, SizeIs(1));
  EXPECT_EQ(play_.starts[1].releasable[0].body, "2");
}

TEST_F(GroupsTest, InterruptFinishesAtTheLastCheckpoint) {
  play_.script = [&](const UpdateStart&) {
    return Script(Say(One(0, 1)), Mark(1, "1"), Do([&] { interrupt_.Request(); }), Say(One(0, 2)),
                  Mark(2, "2"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_EQ(outcome.status, SyncStatus::kPartial);
  EXPECT_TRUE(outcome.error.ok());
  EXPECT_THAT(Commits(), ElementsAre("=1:2")) << "rows that had arrived go along";
  EXPECT_EQ(play_.cancelled, 1);
  EXPECT_EQ(play_.closed, 0);
}

TEST_F(GroupsTest, InterruptCommitsNoKeyChangeThatItsTablesCheckpointDoesNotCover) {
  play_.capabilities = kCanTableState;
  play_.script = [&](const UpdateStart&) {
    return Script(Say(Rows(1, 2).Upsert({1, 1}).Update({2, Unchanged()}).Before({1})),
                  MarkTables(1, {{"a", "a1"}}), Do([&] { interrupt_.Request(); }), Done());
  };
  EXPECT_TRUE(Run(play_).interrupted);
  EXPECT_THAT(Commits(), IsEmpty());
}

TEST_F(GroupsTest, InterruptTwiceKeepsNothingOfTheOpenGroup) {
  play_.script = [&](const UpdateStart&) {
    return Script(Say(One(0, 1)), Do([&] {
                    interrupt_.Request();
                    interrupt_.Request();
                  }),
                  WaitFor(absl::Seconds(1)), Mark(1, "1"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_THAT(watch_.commits, IsEmpty());
  EXPECT_EQ(outcome.counts.Sum(), 0U);
}

TEST_F(GroupsTest, InterruptIsSeenWhileTheSourceIsSilent) {
  play_.script = [&](const UpdateStart&) {
    return Script(WaitFor(absl::Milliseconds(50)), Do([&] { interrupt_.Request(); }),
                  WaitFor(absl::Hours(10)), Done());
  };
  EXPECT_TRUE(Run(play_).interrupted);
  EXPECT_LT(clock_.Monotonic(), absl::Seconds(1));
}

TEST_F(GroupsTest, FullSyncGivesNoStateAndVersionsGoOn) {
  play_.script = [](const UpdateStart& start) {
    return Script(Say(One(0, 1)), Mark(1, start.states.empty() ? "first" : "later"), Done());
  };
  Run(play_);
  options_.full = true;
  clock_.Advance(absl::Seconds(1));
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), Mark(1, "again"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_THAT(play_.starts[1].states, IsEmpty());
  EXPECT_EQ(play_.starts[1].selections[0].mode, SelectionMode::kFull);
  EXPECT_EQ(outcome.state[0].before, 1);
  EXPECT_EQ(outcome.state[0].after, 2);
  EXPECT_TRUE(outcome.tables[0].full);
}

// A source that reads from its beginning may be behind what older states let it forget.
TEST_F(GroupsTest, AFullSyncReleasesNoStateOfTheTimeBeforeIt) {
  const auto twelve = [](const char* name) {
    Moves moves;
    for (int i = 1; i <= 12; ++i) {
      moves.push_back(Say(One(0, i)));
      moves.push_back(Mark(static_cast<uint64_t>(i), absl::StrCat(name, " ", i)));
      moves.push_back(WaitFor(absl::Milliseconds(1)));
    }
    moves.push_back(Done());
    return moves;
  };
  play_.script = [&](const UpdateStart&) { return twelve("old"); };
  EXPECT_EQ(Run(play_).status, SyncStatus::kCompleted);
  play_.acknowledgements.clear();
  options_.full = true;
  play_.script = [&](const UpdateStart&) { return twelve("new"); };
  EXPECT_EQ(Run(play_).status, SyncStatus::kCompleted);
  std::vector<std::string> released;
  for (const Acknowledgement& acknowledgement : play_.acknowledgements) {
    for (const StateEntry& state : acknowledgement.releasable) released.push_back(state.body);
  }
  EXPECT_THAT(released, ElementsAre("new 1", "new 2"));
  EXPECT_THAT(Query("SELECT version FROM _tidemark_state_history WHERE kind = 'reset'"),
              ElementsAre(ElementsAre("13")));
}

TEST_F(GroupsTest, AnOversizedStateStopsTheSyncByName) {
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), MarkTables(1, {{"a", std::string(10 * 1024 * 1024 + 1, 'x')}}),
                  Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kFailed);
  EXPECT_EQ(outcome.error.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(outcome.error.message()),
              ::testing::HasSubstr("the state of a has 10485761"));
}

TEST_F(GroupsTest, CheckpointIdsOnlyGrow) {
  play_.script = [](const UpdateStart&) { return Script(Mark(2, "1"), Mark(2, "2"), Done()); };
  EXPECT_EQ(Run(play_).error.code(), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace tidemark
