// A sync from the connector's first row to durable state.
#include <gmock/gmock.h>

#include "tests/pipeline/sync_fixture.h"

namespace tidemark {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SyncTest : public SyncFixture {
 protected:
  static TableSchema Users() {
    return Table("user", {{"id", DataType::kLong, true}, {"name", DataType::kString}});
  }
};

TEST_F(SyncTest, CommitsRowsAndStateTogetherAndAcknowledgesAfterwards) {
  Play play;
  play.tables = {Users()};
  play.script = [](const UpdateStart&) {
    return Script(Say(Rows(0, 2).Upsert({1, "Ada"}).Upsert({2, "Bob"})), Mark(1, "2", {{0, 2}}),
                  Done(absl::OkStatus(), {{0, 2}}));
  };
  const SyncOutcome outcome = Run(play);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(outcome.warnings, IsEmpty());
  EXPECT_THAT(Live("user", "id, name"), ElementsAre("1|Ada", "2|Bob"));
  ASSERT_EQ(outcome.state.size(), 1U);
  EXPECT_EQ(outcome.state[0].before, 0);
  EXPECT_EQ(outcome.state[0].after, 1);
  EXPECT_EQ(outcome.state[0].body, "2");
  ASSERT_EQ(outcome.tables.size(), 1U);
  EXPECT_EQ(outcome.tables[0].counts.inserted, 2U);
  EXPECT_EQ(outcome.tables[0].sent, 2U);
  EXPECT_EQ(outcome.tables[0].received, 2U);
  EXPECT_EQ(outcome.upserts, 2U);
  EXPECT_EQ(outcome.checkpoints, 1U);
  EXPECT_THAT(outcome.last_record_ids, ElementsAre("1", "2"));
  ASSERT_FALSE(play.acknowledgements.empty());
  EXPECT_EQ(play.acknowledgements.back().durable, 1U);
  EXPECT_EQ(play.closed, 1);
  EXPECT_TRUE(Logged("user", "Performing full sync"));
  EXPECT_THAT(Query("SELECT status, report FROM _tidemark_syncs"),
              ElementsAre(ElementsAre("completed", "{\"status\":\"completed\"}")));
}

TEST_F(SyncTest, SecondSyncResumesFromTheStateAndCountsUnchangedRows) {
  Play play;
  play.tables = {Users()};
  play.script = [](const UpdateStart& start) {
    const bool first = start.states.empty();
    return Script(Say(Rows(0, 2).Upsert({1, "Ada"}).Upsert({2, first ? "Bob" : "Bill"})),
                  Mark(1, first ? "2" : "3"), Done());
  };
  Run(play);
  const SyncOutcome outcome = Run(play);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  ASSERT_EQ(play.starts.size(), 2U);
  ASSERT_EQ(play.starts[1].states.size(), 1U);
  EXPECT_EQ(play.starts[1].states[0].body, "2");
  EXPECT_EQ(outcome.counts.unchanged, 1U);
  EXPECT_EQ(outcome.counts.updated, 1U);
  EXPECT_FALSE(outcome.tables[0].full);
  EXPECT_EQ(outcome.tables[0].from, "2");
  EXPECT_EQ(outcome.tables[0].to, "3");
  EXPECT_TRUE(Logged("user", "Performing incremental sync from 2 to 2026-01-01T00:00:0"));
  EXPECT_THAT(Live("user", "id, name"), ElementsAre("1|Ada", "2|Bill"));
}

TEST_F(SyncTest, AContinuousSyncCommitsWhenIdleAndShowsTheAgeOfItsRowsUntilInterrupted) {
  Play play;
  play.tables = {Users()};
  std::vector<std::string> live;
  play.script = [&](const UpdateStart&) {
    return Script(Say(Rows(0, 2).Upsert({1, "Ada"})), Mark(1, "1"), WaitFor(absl::Seconds(3)),
                  Do([&] {
                    live = Live("user", "id");
                    interrupt_.Request();
                  }),
                  Say(Rows(0, 2).Upsert({2, "Bob"})), WaitFor(absl::Hours(1)));
  };
  options_.sync_id = "sync_of_a_server";
  options_.continuous = true;
  const SyncOutcome outcome = Run(play);
  EXPECT_EQ(outcome.sync_id, "sync_of_a_server");
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_EQ(outcome.status, SyncStatus::kPartial);
  ASSERT_EQ(play.starts.size(), 1U);
  EXPECT_TRUE(play.starts[0].continuous);
  EXPECT_EQ(play.starts[0].sync_id, "sync_of_a_server");
  EXPECT_THAT(live, ElementsAre("1"));
  ASSERT_FALSE(progress_.empty());
  ASSERT_TRUE(progress_.back().lag.has_value());
  EXPECT_GT(*progress_.back().lag, absl::Seconds(2));
  EXPECT_LT(*progress_.back().lag, absl::Seconds(4));
}

TEST_F(SyncTest, SayingTheDurableStateAgainAddsNoVersion) {
  Play play;
  play.tables = {Users()};
  play.script = [](const UpdateStart& start) {
    if (start.states.empty()) {
      return Script(Say(Rows(0, 2).Upsert({1, "Ada"})), Mark(1, "x"), Done());
    }
    return Script(Mark(1, "x"), Done());
  };
  Run(play);
  const SyncOutcome outcome = Run(play);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_EQ(outcome.state[0].after, 1);
  EXPECT_EQ(play.acknowledgements.back().durable, 1U);
}

TEST_F(SyncTest, DeclaredTablesStandThereWithoutRows) {
  Play play;
  play.tables = {Users()};
  play.script = [](const UpdateStart&) { return Script(Done()); };
  const SyncOutcome outcome = Run(play);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Live("user", "id"), IsEmpty());
  ASSERT_EQ(outcome.schema_changes.size(), 1U);
  EXPECT_EQ(outcome.schema_changes[0].what, "created");
}

// `run --table a` of a source with tables a and b.
class OneTableTest : public SyncFixture {
 protected:
  OneTableTest() {
    play_.tables = {Table("a", {{"id", DataType::kLong, true}}),
                    Table("b", {{"id", DataType::kLong, true}})};
    play_.script = [](const UpdateStart&) {
      return Script(Say(Rows(0, 1).Upsert({1})), Mark(1, "1", {{0, 1}}), Done());
    };
    options_.source_name = "books";
    one_table_ = options_;
    one_table_.only_listed_tables = true;
    one_table_.tables.resize(1);
    one_table_.tables[0].pattern = "a";
    one_table_.usual_tables = {"*"};
  }

  Play play_;
  SyncOptions one_table_;
};

TEST_F(OneTableTest, AStateOfAllTablesDoesNotMove) {
  for (const char* stored : {"nothing", "a state of all tables"}) {
    SCOPED_TRACE(stored);
    const size_t commits = watch_.commits.size();
    const SyncOutcome outcome = Run(play_, one_table_);
    EXPECT_EQ(outcome.error.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(
        std::string(outcome.error.message()),
        AllOf(HasSubstr("--table cannot be used with books"), HasSubstr("skip the changes of b")));
    EXPECT_EQ(watch_.commits.size(), commits);
    EXPECT_EQ(Run(play_).status, SyncStatus::kCompleted);
  }
  EXPECT_EQ(play_.starts.size(), 3U) << "with a stored state the source is not even started";
}

TEST_F(OneTableTest, AStateOfAllTablesMovesWhereNoneIsLeftOut) {
  one_table_.tables[0].pattern = "?";
  EXPECT_EQ(Run(play_, one_table_).status, SyncStatus::kCompleted);
  one_table_.tables[0].pattern = "a";
  one_table_.usual_tables = {"a"};  // the connection does not select b
  EXPECT_EQ(Run(play_, one_table_).status, SyncStatus::kCompleted);
  EXPECT_EQ(play_.starts.size(), 2U);
}

TEST_F(OneTableTest, StatesOfTablesMove) {
  play_.capabilities = kCanTableState;
  play_.script = [](const UpdateStart&) {
    return Script(Say(Rows(0, 1).Upsert({1})), MarkTables(1, {{"a", "a1"}}), Done());
  };
  const SyncOutcome outcome = Run(play_, one_table_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  ASSERT_EQ(outcome.state.size(), 1U);
  EXPECT_EQ(outcome.state[0].body, "a1");
}

}  // namespace
}  // namespace tidemark
