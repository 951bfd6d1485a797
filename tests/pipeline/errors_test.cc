// Bad rows, failing connectors, failing destinations.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "core/status_context.h"
#include "tests/pipeline/sync_fixture.h"

namespace tidemark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ErrorsTest : public SyncFixture {
 protected:
  ErrorsTest() {
    play_.tables = {Table("a", {{"id", DataType::kLong, true}, {"v", DataType::kLong}}),
                    Table("b", {{"id", DataType::kLong, true}, {"v", DataType::kLong}})};
  }
  static Rows One(uint32_t table, int id, const Cell& v = 0) {
    return Rows(table, 2).Upsert({id, v});
  }
  static SyncStatus StatusOf(const SyncOutcome& outcome, const std::string& table) {
    for (const TableOutcome& t : outcome.tables) {
      if (t.table == table) return t.status;
    }
    ADD_FAILURE() << "no table " << table;
    return SyncStatus::kFailed;
  }
  static std::string Text(const absl::Status& status) { return std::string(status.message()); }
  Play play_;
};

TEST_F(ErrorsTest, ABadRowBecomesADeadLetterAndTheSyncPartial) {
  play_.script = [](const UpdateStart&) {
    return Script(Say(Rows(0, 2).Upsert({1, 1}).Upsert({2, "x"}).Upsert({3, 3})),
                  Mark(1, "s", {{0, 3}}), Done(absl::OkStatus(), {{0, 3}}));
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kPartial);
  EXPECT_TRUE(outcome.error.ok());
  EXPECT_EQ(outcome.counts.inserted, 2U);
  EXPECT_EQ(outcome.counts.dead_letter, 1U);
  EXPECT_EQ(outcome.counts.Sum(), 3U);
  EXPECT_EQ(StatusOf(outcome, "a"), SyncStatus::kPartial);
  EXPECT_EQ(StatusOf(outcome, "b"), SyncStatus::kCompleted);
  EXPECT_THAT(Live("a", "id"), ElementsAre("1", "3"));
  ASSERT_THAT(outcome.errors, SizeIs(1));
  EXPECT_EQ(outcome.errors[0].record_id, "2");
  EXPECT_EQ(outcome.errors[0].table, "a");
  EXPECT_TRUE(Warned(outcome, "a: 1 dead letters; the first: column v: "));
  const auto letters = Query("SELECT * FROM _tidemark_dead_letters");
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_THAT(letters[0], ::testing::IsSupersetOf(
                              {::testing::Eq("a"), ::testing::Eq("{\"id\":2}"),
                               ::testing::Eq(R"({"op":"upsert","values":{"id":2,"v":"x"}})"),
                               ::testing::Eq("{\"attempt\":1,\"after_checkpoint\":0}")}));
}

TEST_F(ErrorsTest, PlaceOfABadRowIsThatInTheBatchAsItWasSent) {
  play_.script = [](const UpdateStart&) { return Script(Say(One(0, 9)), Mark(1, "1"), Done()); };
  EXPECT_EQ(Run(play_).status, SyncStatus::kCompleted);
  Query("CREATE UNIQUE INDEX u ON a(v)");  // the destination itself refuses rows now
  play_.script = [](const UpdateStart&) {
    return Script(Say(Rows(0, 2)
                          .Upsert({1, 10})
                          .Upsert({2, "x"})
                          .Truncate()
                          .Upsert({3, 10})
                          .Upsert({4, 11})
                          .Upsert({5, 11})),
                  Mark(1, "2"), Done());
  };
  EXPECT_EQ(Run(play_).counts.dead_letter, 3U);
  EXPECT_THAT(bad_rows_, ElementsAre(1U, 3U, 5U));
}

TEST_F(ErrorsTest, EveryBadRowIsListedThoughTheirReasonsAreTheSame) {
  play_.script = [](const UpdateStart&) {
    return Script(Say(Rows(0, 2).Upsert({1, "x"}).Upsert({2, "x"})), Say(One(1, 7, "x")),
                  Mark(1, "s"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  std::vector<std::string> listed;
  listed.reserve(outcome.errors.size());
  for (const SyncError& error : outcome.errors) {
    listed.push_back(absl::StrCat(error.table, " ", error.record_id));
  }
  EXPECT_THAT(listed, ElementsAre("a 1", "a 2", "b 7"));
}

TEST_F(ErrorsTest, AThousandBadRowsAreListedAndTheOthersCounted) {
  options_.max_dead_letters = 5000;
  play_.script = [](const UpdateStart&) {
    Rows rows(0, 2);
    for (int id = 0; id < 1500; ++id) rows.Upsert({id, "x"});
    return Script(Say(std::move(rows)), Mark(1, "s"), Done(absl::InvalidArgumentError("no token")));
  };
  const SyncOutcome outcome = Run(play_);
  ASSERT_THAT(outcome.errors, SizeIs(1002));
  EXPECT_EQ(outcome.errors[999].record_id, "999");
  EXPECT_EQ(outcome.errors[1000].message, "no token");
  EXPECT_THAT(outcome.errors[1001].message, HasSubstr("500 more bad rows are not listed"));
}

TEST_F(ErrorsTest, ADeadLetterWithoutAReasonSaysSo) {
  play_.script = [](const UpdateStart&) {
    SourceDeadLetter letter;
    letter.table = 0;
    letter.letter.change_json = "{}";
    return Script(Say(SourceEvent(letter)), Mark(1, "s"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_TRUE(Warned(outcome, "1 dead letters; the first: no reason given"));
  ASSERT_THAT(outcome.errors, SizeIs(1));
  EXPECT_EQ(outcome.errors[0].message, "no reason given");
}

TEST_F(ErrorsTest, AConnectorsOwnDeadLettersAreKeptWithTheirContext) {
  play_.script = [](const UpdateStart&) {
    SourceDeadLetter letter;
    letter.table = 0;
    letter.letter.reason = "no id in the record";
    letter.letter.change_json = "{\"name\":\"x\"}";
    letter.letter.context_json = "{\"url\":\"http://127.0.0.1/users?page=2\"}";
    SourceDeadLetter of_no_table = letter;
    of_no_table.table = kNoTable;
    return Script(Say(One(0, 1)), Say(SourceEvent(letter)), Say(SourceEvent(of_no_table)),
                  Mark(1, "s", {{0, 1}}), Done(absl::OkStatus(), {{0, 1}}));
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kPartial);
  EXPECT_EQ(outcome.counts.dead_letter, 2U);
  EXPECT_FALSE(Warned(outcome, "sent")) << "dead letters are not rows";
  EXPECT_THAT(Query("SELECT count(*) FROM _tidemark_dead_letters WHERE "
                    "context LIKE '%page=2%'"),
              ElementsAre(ElementsAre("2")));
}

TEST_F(ErrorsTest, TooManyDeadLettersStopTheSyncWithCountAndFirstReason) {
  options_.max_dead_letters = 2;
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1, "x")), Mark(1, "1"), WaitFor(absl::Seconds(1)), Say(One(0, 2, "x")),
                  Say(One(0, 3)), Say(One(0, 4, "y")), Mark(2, "2"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kFailed);
  EXPECT_EQ(outcome.error.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(outcome.error), HasSubstr("3 dead letters are more than max_dead_letters (2)"));
  EXPECT_THAT(Text(outcome.error), HasSubstr("the first: column v: a text that is no integer"));
  EXPECT_EQ(outcome.counts.dead_letter, 1U) << "the last commit stands";
  EXPECT_THAT(Query("SELECT count(*) FROM _tidemark_dead_letters"), ElementsAre(ElementsAre("1")));
  EXPECT_EQ(outcome.retries, 0U);
}

TEST_F(ErrorsTest, DeadLettersOfRolledBackAttemptsDoNotCount) {
  options_.max_dead_letters = 1;
  play_.script = [&](const UpdateStart& start) {
    if (start.attempt <= 3) {
      return Script(Say(One(0, 1, "x")), Done(absl::UnavailableError("busy")));
    }
    return Script(Say(One(0, 1, "x")), Mark(1, "1"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kPartial) << outcome.error;
  EXPECT_EQ(outcome.counts.dead_letter, 1U);
  EXPECT_EQ(outcome.retries, 3U);
}

TEST_F(ErrorsTest, OnErrorStopEndsTheSyncWhereStateIsConnectionWide) {
  options_.default_rule.on_error = OnError::kStop;
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), Mark(1, "1"), WaitFor(absl::Seconds(1)), Say(One(0, 2)),
                  Say(One(0, 3, "x")), Mark(2, "2"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kFailed);
  ASSERT_THAT(outcome.errors, SizeIs(1));
  EXPECT_EQ(outcome.errors[0].record_id, "3");
  EXPECT_THAT(Text(outcome.error), HasSubstr("table a, row 3: column v: "));
  EXPECT_THAT(Live("a", "id"), ElementsAre("1")) << "the table ends at its last commit";
  EXPECT_EQ(outcome.counts.dead_letter, 0U);
}

TEST_F(ErrorsTest, OnErrorStopEndsOnlyItsTableWhereStateIsPerTable) {
  options_.default_rule.on_error = OnError::kStop;
  play_.capabilities = kCanTableState;
  play_.script = [](const UpdateStart& start) {
    Moves moves;
    uint64_t id = 0;
    for (uint32_t table = 0; table < 2; ++table) {
      if (start.selections[table].mode == SelectionMode::kSkip) continue;
      const std::string name = table == 0 ? "a" : "b";
      moves.push_back(Say(One(table, 1)));
      moves.push_back(MarkTables(++id, {{name, "1"}}));
      moves.push_back(WaitFor(absl::Seconds(1)));
      moves.push_back(Say(One(table, 2, table == 0 ? Cell("x") : Cell(2))));
      moves.push_back(MarkTables(++id, {{name, "2"}}));
    }
    moves.push_back(Done());
    return moves;
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kPartial) << outcome.error;
  EXPECT_EQ(StatusOf(outcome, "a"), SyncStatus::kFailed);
  EXPECT_EQ(StatusOf(outcome, "b"), SyncStatus::kCompleted);
  EXPECT_THAT(Live("a", "id"), ElementsAre("1"));
  EXPECT_THAT(Live("b", "id"), ElementsAre("1", "2"));
  ASSERT_THAT(play_.starts, SizeIs(2));
  EXPECT_EQ(play_.starts[1].attempt, 2U);
  ASSERT_THAT(outcome.errors, SizeIs(1));
  EXPECT_EQ(outcome.errors[0].table, "a");
}

TEST_F(ErrorsTest, ARowMayAskToGoOnUnderStop) {
  options_.default_rule.on_error = OnError::kStop;
  play_.script = [](const UpdateStart&) {
    return Script(
        Say(Rows(0, 2).Add(ChangeKind::kUpsert, {1, "x"}, kOnErrorContinue).Upsert({2, 2})),
        Mark(1, "1"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kPartial);
  EXPECT_EQ(outcome.counts.dead_letter, 1U);
  EXPECT_THAT(Live("a", "id"), ElementsAre("2"));
}

TEST_F(ErrorsTest, ATableThatFailsLetsTheOthersGoOn) {
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)),
                  Say(SourceEvent(TableDone{0, absl::PermissionDeniedError("no access to a")})),
                  Say(One(1, 1)), Say(SourceEvent(TableDone{1, absl::OkStatus()})), Mark(1, "1"),
                  Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kPartial);
  EXPECT_EQ(StatusOf(outcome, "a"), SyncStatus::kFailed);
  EXPECT_EQ(StatusOf(outcome, "b"), SyncStatus::kCompleted);
  ASSERT_THAT(outcome.errors, SizeIs(1));
  EXPECT_EQ(outcome.errors[0].message, "no access to a");
}

TEST_F(ErrorsTest, ASyncOfFailedTablesOnlyHasFailed) {
  play_.script = [](const UpdateStart&) {
    return Script(Say(SourceEvent(TableDone{0, absl::PermissionDeniedError("no a")})),
                  Say(SourceEvent(TableDone{1, absl::PermissionDeniedError("no b")})), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kFailed);
  EXPECT_EQ(outcome.error.code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(ErrorsTest, RowsAfterATablesEndAreThePluginsFault) {
  play_.script = [](const UpdateStart&) {
    return Script(Say(SourceEvent(TableDone{0, absl::OkStatus()})), Say(One(0, 1)), Done());
  };
  EXPECT_THAT(Text(Run(play_).error),
              HasSubstr("plugin misbehaved: rows of table a after its end"));
}

TEST_F(ErrorsTest, RetriesFollowTheKindOfFailure) {
  struct Case {
    absl::Status failure;
    bool transport;
    uint32_t attempts;
  };
  const Case cases[] = {
      {absl::UnavailableError("500"), false, 8},
      {absl::ResourceExhaustedError("429"), false, 8},
      {absl::DeadlineExceededError("slow"), false, 8},
      {absl::AbortedError("conflict"), false, 8},
      {absl::UnauthenticatedError("token"), false, 1},
      {absl::InvalidArgumentError("config"), false, 1},
      {absl::DataLossError("log is gone"), false, 1},
      {absl::InternalError("bug"), false, 1},
      {absl::AbortedError("killed by signal 11"), true, 2},
      {absl::ResourceExhaustedError("memory"), true, 1},
      {absl::DeadlineExceededError("stalled"), true, 1},
      {absl::DataLossError("malformed"), true, 1},
  };
  for (const Case& c : cases) {
    play_.starts.clear();
    play_.script = [&](const UpdateStart&) {
      return c.transport ? Script(Say(One(0, 1)), Break(AsTransportFailure(c.failure)))
                         : Script(Say(One(0, 1)), Done(c.failure));
    };
    const SyncOutcome outcome = Run(play_);
    EXPECT_EQ(outcome.status, SyncStatus::kFailed);
    EXPECT_EQ(outcome.error.code(), c.failure.code());
    EXPECT_THAT(play_.starts, SizeIs(c.attempts)) << c.failure;
    EXPECT_EQ(outcome.retries, c.attempts - 1);
    EXPECT_EQ(outcome.counts.Sum(), 0U) << "nothing behind the last commit is kept";
    ASSERT_THAT(outcome.errors, SizeIs(1));
    for (size_t i = 0; i < play_.starts.size(); ++i) EXPECT_EQ(play_.starts[i].attempt, i + 1);
  }
}

TEST_F(ErrorsTest, ApiThatFailsFiveTimesThenWorksCompletes) {
  play_.script = [](const UpdateStart& start) {
    if (start.attempt <= 5) return Script(Done(absl::UnavailableError("HTTP 500")));
    return Script(Say(One(0, 1)), Mark(1, "1"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_EQ(outcome.retries, 5U);
  EXPECT_THAT(outcome.errors, IsEmpty());
  EXPECT_TRUE(Warned(outcome, "another attempt after: HTTP 500"));
  EXPECT_GT(clock_.slept(), absl::Seconds(7)) << "0.25 + 0.5 + 1 + 2 + 4 seconds at least";
  EXPECT_LT(clock_.slept(), absl::Seconds(16));
}

TEST_F(ErrorsTest, RetryAfterWinsOverTheBackoff) {
  play_.script = [](const UpdateStart& start) {
    if (start.attempt == 1) {
      return Script(Done(WithRetryAfter(absl::UnavailableError("429"), absl::Seconds(90))));
    }
    return Script(Done());
  };
  Run(play_);
  EXPECT_EQ(clock_.slept(), absl::Seconds(90));
}

TEST_F(ErrorsTest, ACommitThatMovesTheStateResetsTheCount) {
  play_.script = [](const UpdateStart& start) {
    const size_t page = start.states.empty() ? 0 : start.states[0].body.size();
    if (page == 20) return Script(Done());
    return Script(Say(One(0, static_cast<int>(page))), Mark(1, std::string(page + 1, '.')),
                  Done(absl::UnavailableError("again")));
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_EQ(outcome.retries, 20U);
  EXPECT_EQ(outcome.counts.inserted, 20U);
}

TEST_F(ErrorsTest, CommitsThatDoNotMoveTheStateDoNotResetIt) {
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), Mark(1, "same"), Done(absl::UnavailableError("again")));
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kFailed);
  EXPECT_LE(play_.starts.size(), 9U);
}

TEST_F(ErrorsTest, InterruptEndsTheWaitForTheNextAttempt) {
  play_.script = [](const UpdateStart&) {
    return Script(Done(WithRetryAfter(absl::UnavailableError("x"), absl::Hours(5))));
  };
  clock_.on_sleep = [&] {
    if (clock_.slept() >= absl::Seconds(3)) interrupt_.Request();
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_LT(clock_.slept(), absl::Seconds(4));
}

TEST_F(ErrorsTest, ARefusedCommitBeginsAgainFromTheLastDurableState) {
  int refusals = 2;
  watch_.before_commit = [&](const CommitRequest& request) {
    const bool second = request.entries[0].expected_version == 1;
    return second && refusals-- > 0 ? absl::AbortedError("not committed") : absl::OkStatus();
  };
  play_.script = [](const UpdateStart& start) {
    if (start.states.empty()) {
      return Script(Say(One(0, 1)), Mark(1, "1"), WaitFor(absl::Seconds(1)), Say(One(0, 2)),
                    Mark(2, "2"), Done());
    }
    return Script(Say(One(0, 2)), Mark(1, "2"), Done());
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  ASSERT_THAT(play_.starts, SizeIs(3));
  EXPECT_EQ(play_.starts[2].attempt, 3U);
  EXPECT_EQ(play_.starts[2].states[0].body, "1");
  EXPECT_EQ(outcome.counts.inserted, 2U) << "committed groups only";
  EXPECT_EQ(outcome.state[0].after, 2);
  EXPECT_THAT(Live("a", "id"), ElementsAre("1", "2"));
}

TEST_F(ErrorsTest, DestinationFailuresStopOrRetryByTheirCode) {
  struct Case {
    absl::Status failure;
    uint32_t attempts;
  };
  const Case cases[] = {
      {absl::FailedPreconditionError("FENCED: another holder took the connection"), 1},
      {absl::DataLossError("DIVERGED"), 1},
      {absl::ResourceExhaustedError("the disk is full"), 1},
      {absl::UnavailableError("database is locked"), 8},
      {absl::AbortedError("not committed"), 8},
  };
  for (const Case& c : cases) {
    for (const bool at_commit : {true, false}) {
      play_.starts.clear();
      watch_.before_commit = [&](const CommitRequest&) {
        return at_commit ? c.failure : absl::OkStatus();
      };
      watch_.before_apply = [&](const ChangeBatch&) {
        return at_commit ? absl::OkStatus() : c.failure;
      };
      play_.script = [](const UpdateStart&) {
        return Script(Say(One(0, 1)), Mark(1, "1"), Done());
      };
      const SyncOutcome outcome = Run(play_);
      EXPECT_EQ(outcome.status, SyncStatus::kFailed);
      EXPECT_EQ(outcome.error.code(), c.failure.code());
      EXPECT_THAT(Text(outcome.error), HasSubstr(Text(c.failure)));
      EXPECT_THAT(play_.starts, SizeIs(c.attempts)) << c.failure;
      EXPECT_THAT(play_.acknowledgements, IsEmpty());
      EXPECT_EQ(outcome.counts.Sum(), 0U);
      EXPECT_THAT(outcome.state, IsEmpty());
    }
  }
}

TEST_F(ErrorsTest, ALockedDestinationIsTriedAgain) {
  int locked = 3;
  watch_.before_begin = [&] {
    return locked-- > 0 ? absl::UnavailableError("database is locked") : absl::OkStatus();
  };
  play_.script = [](const UpdateStart&) { return Script(Say(One(0, 1)), Mark(1, "1"), Done()); };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_EQ(outcome.retries, 3U);
}

TEST_F(ErrorsTest, AnUncleanEndAfterTheCommitIsAWarning) {
  play_.close_failure = AsTransportFailure(absl::AbortedError("killed by signal 11"));
  play_.script = [](const UpdateStart&) { return Script(Say(One(0, 1)), Mark(1, "1"), Done()); };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted);
  EXPECT_TRUE(Warned(outcome, "did not end in order: killed by signal 11"));
}

TEST_F(ErrorsTest, WhatACheckpointCoversIsKeptWhenTheConnectorFailsRightBehindIt) {
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), Mark(1, "1"), Done(absl::InvalidArgumentError("no")));
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kFailed);
  EXPECT_THAT(Live("a", "id"), ElementsAre("1"));
  EXPECT_EQ(outcome.state[0].body, "1");
}

TEST_F(ErrorsTest, FailuresBeforeUpdateAreClassifiedAlike) {
  play_.schema_failure = absl::UnauthenticatedError("the token is refused");
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kFailed);
  EXPECT_EQ(outcome.error.code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(outcome.retries, 0U);
  EXPECT_THAT(Query("SELECT status FROM _tidemark_syncs"), ElementsAre(ElementsAre("failed")));
}

TEST_F(ErrorsTest, AReportThatCannotBeStoredIsSaid) {
  watch_.before_finish = [] { return absl::ResourceExhaustedError("the disk is full"); };
  play_.script = [](const UpdateStart&) { return Script(Say(One(0, 1)), Mark(1, "1"), Done()); };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kPartial);
  EXPECT_TRUE(Warned(outcome, "the report could not be stored: the disk is full"));
}

TEST_F(ErrorsTest, MissingKeyOfTheRuleStopsWithItsName) {
  options_.default_rule.primary_key = {{"uuid"}};
  play_.script = [](const UpdateStart&) { return Script(Say(One(0, 1)), Mark(1, "1"), Done()); };
  EXPECT_THAT(Text(Run(play_).error), HasSubstr("table a: primary_key names uuid"));
}

}  // namespace
}  // namespace tidemark
