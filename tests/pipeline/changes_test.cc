// What each kind of change does to the destination, and how tables and columns come into being.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "tests/pipeline/sync_fixture.h"

namespace tidemark {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ChangesTest : public SyncFixture {
 protected:
  static TableSchema Users() {
    return Table(
        "user",
        {{"id", DataType::kLong, true}, {"name", DataType::kString}, {"age", DataType::kInt}});
  }
  // One sync of one table that says `rows`, a checkpoint and its end.
  SyncOutcome Sync(TableSchema table, std::function<Rows()> rows, absl::Status end = {}) {
    Play play;
    play.tables = {std::move(table)};
    const std::string body = absl::StrCat("state ", ++syncs_);
    play.script = [&](const UpdateStart&) { return Script(Say(rows()), Mark(1, body), Done(end)); };
    return Run(play);
  }
  int syncs_ = 0;
};

TEST_F(ChangesTest, UpdateChangesOnlyWhatItCarries) {
  const SyncOutcome outcome = Sync(Users(), [] {
    return Rows(0, 3)
        .Upsert({1, "Ada", 36})
        .Update({1, Unchanged(), 37})
        .Update({2, "nobody", 1})
        .Update({1, Unchanged(), Unchanged()});
  });
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Live("user", "id, name, age"), ElementsAre("1|Ada|37"));
  EXPECT_EQ(outcome.counts.inserted, 1U);
  EXPECT_EQ(outcome.counts.updated, 1U);
  EXPECT_EQ(outcome.counts.missing, 1U);
  EXPECT_EQ(outcome.counts.unchanged, 1U);
  EXPECT_EQ(outcome.updates, 3U);
  EXPECT_TRUE(Warned(outcome, "user: 1 updates of rows that are not there"));
}

TEST_F(ChangesTest, DeletesAreSoftByDefaultAndUpsertsRevive) {
  Sync(Users(), [] { return Rows(0, 3).Upsert({1, "Ada", 36}).Upsert({2, "Bob", 1}); });
  const SyncOutcome outcome = Sync(
      Users(), [] { return Rows(0, 3).Delete({1}).Delete({2}).Delete({9}).Upsert({2, "Bo", 2}); });
  EXPECT_EQ(outcome.counts.deleted, 2U);
  EXPECT_EQ(outcome.counts.missing, 1U);
  EXPECT_FALSE(Warned(outcome, "not there")) << "a row to be deleted that is not there is no loss";
  EXPECT_THAT(Live("user", "id, name"), ElementsAre("2|Bo"));
  EXPECT_THAT(Query("SELECT count(*) FROM user"), ElementsAre(ElementsAre("2")));
}

TEST_F(ChangesTest, HardDeletesRemoveTheRow) {
  options_.default_rule.deletes = DeleteMode::kHard;
  Sync(Users(), [] { return Rows(0, 3).Upsert({1, "Ada", 36}).Upsert({2, "Bob", 1}).Delete({1}); });
  EXPECT_THAT(Query("SELECT id FROM user"), ElementsAre(ElementsAre("2")));
}

TEST_F(ChangesTest, KeyChangeKeepsValuesTheSourceDidNotSend) {
  const SyncOutcome outcome = Sync(Users(), [] {
    return Rows(0, 3)
        .Upsert({1, "Ada", 36})
        .Upsert({2, "Bob", 40})
        .Update({3, Unchanged(), 37})
        .Before({1})
        .Update({3, Unchanged(), Unchanged()})  // onto a live row: replaces it
        .Before({2});
  });
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Live("user", "id, name, age"), ElementsAre("3|Bob|40"));
}

TEST_F(ChangesTest, SnapshotInsertsLikeAnUpsertWhereNothingIsKnown) {
  Sync(Users(), [] { return Rows(0, 3).Add(ChangeKind::kSnapshot, {1, "Ada", 36}); });
  EXPECT_THAT(Live("user", "id, name"), ElementsAre("1|Ada"));
}

TEST_F(ChangesTest, TruncateDeletesAtSuccessWhatWasNotWrittenAgain) {
  Sync(Users(), [] {
    return Rows(0, 3).Upsert({1, "Ada", 36}).Upsert({2, "Bob", 40}).Upsert({3, "Cyd", 50});
  });
  const SyncOutcome outcome = Sync(Users(), [] {
    return Rows(0, 3)
        .Upsert({3, "before", 1})
        .Truncate()
        .Upsert({1, "Ada", 36})
        .Upsert({4, "D", 1});
  });
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Live("user", "id, name"), ElementsAre("1|Ada", "4|D"));
  EXPECT_EQ(outcome.counts.deleted_by_truncate, 2U);
  EXPECT_EQ(outcome.counts.unchanged, 2U) << "the truncate itself and the equal row";
  EXPECT_EQ(outcome.counts.Sum(), 4U);
  EXPECT_EQ(outcome.truncates, 1U);
  const SyncOutcome later = Sync(Users(), [] { return Rows(0, 3).Upsert({5, "E", 1}); });
  EXPECT_EQ(later.counts.deleted_by_truncate, 0U);
  EXPECT_THAT(Live("user", "id"), ElementsAre("1", "4", "5"));
}

TEST_F(ChangesTest, TruncateWaitsThroughFailureAndResume) {
  Sync(Users(), [] { return Rows(0, 3).Upsert({1, "Ada", 36}).Upsert({2, "Bob", 40}); });
  const SyncOutcome failed = Sync(
      Users(), [] { return Rows(0, 3).Truncate().Upsert({1, "Ada", 36}); },
      absl::InvalidArgumentError("the token is wrong"));
  EXPECT_EQ(failed.status, SyncStatus::kFailed);
  EXPECT_THAT(Live("user", "id"), ElementsAre("1", "2")) << "never a half-empty table";
  const SyncOutcome resumed = Sync(Users(), [] { return Rows(0, 3).Upsert({3, "Cyd", 1}); });
  EXPECT_EQ(resumed.status, SyncStatus::kCompleted) << resumed.error;
  EXPECT_EQ(resumed.counts.deleted_by_truncate, 1U);
  EXPECT_THAT(Live("user", "id"), ElementsAre("1", "3")) << "written again since the truncate";
}

TEST_F(ChangesTest, TruncateThatWasNotCommittedIsForgotten) {
  Sync(Users(), [] { return Rows(0, 3).Upsert({1, "Ada", 36}); });
  Play play;
  play.tables = {Users()};
  play.script = [](const UpdateStart&) {
    return Script(Say(Rows(0, 3).Truncate()), Done(absl::InvalidArgumentError("no")));
  };
  EXPECT_EQ(Run(play).status, SyncStatus::kFailed);
  const SyncOutcome outcome = Sync(Users(), [] { return Rows(0, 3).Upsert({2, "Bob", 1}); });
  EXPECT_EQ(outcome.counts.deleted_by_truncate, 0U);
  EXPECT_THAT(Live("user", "id"), ElementsAre("1", "2"));
}

TEST_F(ChangesTest, TruncateDoesNotDeleteWhereRowsWereLostOnTheWay) {
  Sync(Users(), [] { return Rows(0, 3).Upsert({1, "Ada", 36}); });
  Play play;
  play.tables = {Users()};
  play.script = [](const UpdateStart&) {
    return Script(Say(Rows(0, 3).Truncate()), Mark(1, "s", {{0, 5}}), Done());
  };
  EXPECT_EQ(Run(play).status, SyncStatus::kPartial);
  EXPECT_THAT(Live("user", "id"), ElementsAre("1"));
}

TEST_F(ChangesTest, RepeatedRowsWithoutKeyCollapse) {
  const TableSchema log = Table("log", {{"line", DataType::kString}, {"n", DataType::kLong}});
  const auto rows = [] {
    return Rows(0, 2).Upsert({"a", 1}).Upsert({"a", 1}).Upsert({"b", nullptr});
  };
  const SyncOutcome first = Sync(log, rows);
  EXPECT_EQ(first.counts.inserted, 2U);
  EXPECT_EQ(first.counts.duplicates_collapsed, 1U);
  const SyncOutcome again = Sync(log, rows);
  EXPECT_EQ(again.counts.unchanged, 3U);
  EXPECT_THAT(Live("log", "line, n"), ElementsAre("a|1", "b|NULL"));
  Sync(log, [] {
    return Rows(0, 2).Update({Unchanged(), 2}).Before({"a", 1}).Delete({}).Before({"b", nullptr});
  });
  EXPECT_THAT(Live("log", "line, n"), ElementsAre("a|2"));
  Sync(log, [] { return Rows(0, 2).Upsert({"a", 2}); });
  EXPECT_THAT(Live("log", "line, n"), ElementsAre("a|2")) << "the id followed the update";
}

TEST_F(ChangesTest, UndeclaredColumnWidensOverThreeSyncsWithoutLoss) {
  const TableSchema table =
      Table("t", {{"id", DataType::kLong, true}, {"v"}, {"code", DataType::kString}});
  Sync(table, [] { return Rows(0, 3).Upsert({1, 1, "007"}).Upsert({2, nullptr, "1.10"}); });
  EXPECT_THAT(Query("SELECT v, typeof(v), code FROM t ORDER BY id"),
              ElementsAre(ElementsAre("1", "integer", "007"), ElementsAre("NULL", "null", "1.10")));
  const SyncOutcome second = Sync(table, [] { return Rows(0, 3).Upsert({3, 1.5, "00"}); });
  EXPECT_TRUE(Logged("t", "v: widened LONG to DOUBLE"));
  ASSERT_THAT(second.schema_changes, SizeIs(1));
  EXPECT_THAT(Query("SELECT v, typeof(v) FROM t WHERE v IS NOT NULL ORDER BY id"),
              ElementsAre(ElementsAre("1.0", "real"), ElementsAre("1.5", "real")));
  Sync(table, [] { return Rows(0, 3).Upsert({4, "x", "1e5"}); });
  EXPECT_THAT(Query("SELECT v, typeof(v), code FROM t ORDER BY id"),
              ElementsAre(ElementsAre("1", "text", "007"), ElementsAre("NULL", "null", "1.10"),
                          ElementsAre("1.5", "text", "00"), ElementsAre("x", "text", "1e5")));
  const SyncOutcome fourth = Sync(table, [] { return Rows(0, 3).Upsert({1, 1, "007"}); });
  EXPECT_EQ(fourth.counts.unchanged, 1U) << "a widened column still knows an equal value";
}

TEST_F(ChangesTest, WidensInsideOneBatchAndBetweenBatchesOfATransaction) {
  Play play;
  play.tables = {Table("t", {{"id", DataType::kLong, true}, {"v"}})};
  play.script = [](const UpdateStart&) {
    return Script(Say(Rows(0, 2).Upsert({1, 1}).Upsert({2, 2.5})),
                  Say(Rows(0, 2).Upsert({3, Decimal("0.10")})),
                  Say(Rows(0, 2).Upsert({4, Flag(true)})), Mark(1, "s"), Done());
  };
  const SyncOutcome outcome = Run(play);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Live("t", "id, v"), ElementsAre("1|1", "2|2.5", "3|0.10", "4|true"));
}

TEST_F(ChangesTest, ALongBeyond53BitsMakesDecimalOfAFraction) {
  const TableSchema table = Table("t", {{"id", DataType::kLong, true}, {"v"}});
  Sync(table, [] { return Rows(0, 2).Upsert({1, int64_t{9007199254740993}}); });
  Sync(table, [] { return Rows(0, 2).Upsert({2, 0.5}); });
  EXPECT_THAT(Live("t", "id, v"), ElementsAre("1|9007199254740993", "2|0.5"));
}

TEST_F(ChangesTest, TablesAndColumnsDefinedOnTheWay) {
  Play play;
  play.script = [](const UpdateStart&) {
    TableDefinition first{0, Table("t", {{"id", DataType::kLong, true}, {"a"}})};
    TableDefinition grown{0, Table("t", {{"id", DataType::kLong, true}, {"a"}, {"b"}})};
    return Script(Say(SourceEvent(first)), Say(Rows(0, 2).Upsert({1, "x"})),
                  Say(SourceEvent(grown)), Say(Rows(0, 3).Upsert({2, "y", 5})), Mark(1, "s"),
                  Done());
  };
  const SyncOutcome outcome = Run(play);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Live("t", "id, a, b"), ElementsAre("1|x|NULL", "2|y|5"));
}

TEST_F(ChangesTest, ColumnGoneAtTheSourceStaysAndBecomesNull) {
  Sync(Table("t", {{"id", DataType::kLong, true}, {"a", DataType::kLong}, {"b", DataType::kLong}}),
       [] { return Rows(0, 3).Upsert({1, 10, 100}).Upsert({2, 20, 200}); });
  Sync(Table("t", {{"b", DataType::kLong}, {"id", DataType::kLong, true}}),
       [] { return Rows(0, 2).Upsert({101, 1}).Update({201, 2}); });
  EXPECT_THAT(Live("t", "id, a, b"), ElementsAre("1|NULL|101", "2|20|201"));
}

TEST_F(ChangesTest, RulesSelectRenameAndType) {
  options_.only_listed_tables = true;
  TableRule rule;
  rule.pattern = "u*";
  rule.exclude_columns = {"age"};
  rule.rename_columns = {{"name", "full_name"}};
  rule.column_types["id"].type = DataType::kString;
  TableRule typo;
  typo.pattern = "usr";
  options_.tables = {rule, typo};
  Play play;
  play.tables = {Users(), Table("other", {{"id", DataType::kLong, true}})};
  play.script = [](const UpdateStart&) {
    return Script(Say(Rows(0, 3).Upsert({1, "Ada", 36})), Say(Rows(1, 1).Upsert({1})),
                  Mark(1, "s", {{0, 1}, {1, 1}}), Done());
  };
  const SyncOutcome outcome = Run(play);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_THAT(Query("SELECT id, typeof(id), full_name FROM user"),
              ElementsAre(ElementsAre("1", "text", "Ada")));
  EXPECT_THAT(Query("SELECT name FROM pragma_table_info('user')"),
              ::testing::Not(Contains(ElementsAre("age"))));
  EXPECT_THAT(Query("SELECT name FROM sqlite_schema WHERE name = 'other'"), IsEmpty());
  ASSERT_THAT(outcome.tables, SizeIs(1));
  EXPECT_TRUE(Warned(outcome, "the source has no table usr"));
  ASSERT_THAT(play.starts[0].selections, SizeIs(2));
  EXPECT_EQ(play.starts[0].selections[0].mode, SelectionMode::kIncremental);
  EXPECT_THAT(play.starts[0].selections[0].columns, ElementsAre(true, true, false));
  EXPECT_EQ(play.starts[0].selections[1].mode, SelectionMode::kSkip);
}

TEST_F(ChangesTest, WarnsOfColumnsThatARuleNamesAndTheTableDoesNotHave) {
  TableRule user;
  user.pattern = "user";
  user.exclude_columns = {"pasword", "age"};
  user.rename_columns["nam"] = "full_name";
  user.column_types["zip"].type = DataType::kString;
  TableRule others;
  others.pattern = "*";
  others.exclude_columns = {"password"};
  options_.tables = {user, others};
  Play play;
  play.tables = {Users(), Table("other", {{"id", DataType::kLong, true}})};
  play.script = [](const UpdateStart&) {
    return Script(Say(Rows(0, 3).Upsert({1, "Ada", 36})), Mark(1, "s"), Done());
  };
  const SyncOutcome outcome = Run(play);
  for (const char* column : {"pasword", "nam", "zip"}) {
    EXPECT_TRUE(Warned(outcome, absl::StrCat("user: its rule names the column ", column,
                                             ", which the source does not have")));
  }
  EXPECT_THAT(outcome.warnings, SizeIs(3));
}

TEST_F(ChangesTest, AColumnThatShowsUpLaterIsNotWarnedOf) {
  options_.tables.resize(1);
  options_.tables[0].pattern = "t";
  options_.tables[0].exclude_columns = {"late"};
  Play play;
  play.tables = {Table("t", {{"id", DataType::kLong, true}})};
  play.script = [](const UpdateStart& start) {
    if (!start.states.empty()) return Script(Done());  // no row: nothing is known of its columns
    const TableSchema grown = Table("t", {{"id", DataType::kLong, true}, {"late"}});
    return Script(Say(Rows(0, 1).Upsert({1})), Say(SourceEvent(TableDefinition{0, grown})),
                  Say(Rows(0, 2).Upsert({2, "x"})), Mark(1, "s"), Done());
  };
  EXPECT_THAT(Run(play).warnings, IsEmpty());
  EXPECT_THAT(Run(play).warnings, IsEmpty());
}

TEST_F(ChangesTest, CollidingNamesStopTheSyncBeforeAnythingIsWritten) {
  options_.naming = Naming::kSnakeCase;
  Play play;
  play.tables = {Table("UserData", {{"id", DataType::kLong, true}}),
                 Table("user_data", {{"id", DataType::kLong, true}})};
  play.script = [](const UpdateStart&) { return Script(Done()); };
  const SyncOutcome outcome = Run(play);
  EXPECT_EQ(outcome.status, SyncStatus::kFailed);
  EXPECT_THAT(std::string(outcome.error.message()), HasSubstr("UserData and user_data"));
  EXPECT_THAT(play.starts, IsEmpty());
}

TEST_F(ChangesTest, StaleRowsOfALaggingReplicaAreSuperseded) {
  const TableSchema table = Table("t", {{"id", DataType::kLong, true},
                                        {"v", DataType::kString},
                                        {"at", DataType::kUtcDatetime, false, true}});
  Sync(table, [] { return Rows(0, 3).Upsert({1, "new", "2024-01-15T10:30:00Z"}); });
  const SyncOutcome outcome =
      Sync(table, [] { return Rows(0, 3).Upsert({1, "old", "2024-01-15T10:29:59.5Z"}); });
  EXPECT_EQ(outcome.counts.superseded, 1U);
  EXPECT_THAT(Live("t", "v"), ElementsAre("new"));
  options_.default_rule.stale_guard = StaleGuard::kOff;
  Sync(table, [] { return Rows(0, 3).Upsert({1, "old", "2024-01-15T10:29:59.5Z"}); });
  EXPECT_THAT(Live("t", "v"), ElementsAre("old"));
}

TEST_F(ChangesTest, SyncedTimeGrowsEvenWhenTheClockStandsStill) {
  Sync(Users(), [] { return Rows(0, 3).Upsert({1, "Ada", 36}); });
  const auto first = Query("SELECT _tidemark_synced FROM user WHERE id = 1")[0][0];
  Sync(Users(), [] { return Rows(0, 3).Upsert({1, "Ada", 37}); });
  EXPECT_GT(Query("SELECT _tidemark_synced FROM user WHERE id = 1")[0][0], first);
}

}  // namespace
}  // namespace tidemark
