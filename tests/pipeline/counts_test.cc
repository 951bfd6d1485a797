// Invariant I6: counts of connector, engine and destination that differ are never a completed sync.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/pipeline/sync_fixture.h"

namespace tidemark {
namespace {

class CountsTest : public SyncFixture {
 protected:
  CountsTest() {
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
  Play play_;
};

TEST_F(CountsTest, UnequalCountsMakeTheSyncPartialWithTheReason) {
  struct Case {
    std::vector<TableRows> at_checkpoint;
    std::vector<TableRows> at_end;
    const char* says;  // null: they agree
  };
  const Case cases[] = {
      {{{0, 2}}, {{0, 2}}, nullptr},
      {{}, {}, nullptr},
      {{{0, 3}}, {}, "a: the connector says it sent 3 rows and the engine received 2"},
      {{}, {{0, 1}}, "a: the connector says it sent 1 rows and the engine received 2"},
      {{{0, 2}},
       {{0, 2}, {1, 4}},
       "b: the connector says it sent 4 rows and the engine received 0"},
      {{}, {{1, 0}}, "a: the connector says it sent 0 rows and the engine received 2"},
  };
  int n = 0;
  for (const Case& c : cases) {
    ++n;
    play_.script = [&](const UpdateStart&) {
      return Script(Say(One(0, 1, n)), Say(One(0, 2, n)), Mark(1, absl::StrCat(n), c.at_checkpoint),
                    Done(absl::OkStatus(), c.at_end));
    };
    const SyncOutcome outcome = Run(play_);
    EXPECT_EQ(outcome.status, c.says == nullptr ? SyncStatus::kCompleted : SyncStatus::kPartial)
        << n;
    if (c.says != nullptr) {
      EXPECT_TRUE(Warned(outcome, c.says)) << n;
    }
  }
}

TEST_F(CountsTest, ADestinationThatAccountsForOtherRowsMakesTheSyncPartial) {
  // Invariant I6: it says it has one row less, or one more, than it was given.
  for (const bool loses : {true, false}) {
    bool once = true;
    watch_.after_apply = [&](ChangeCounts* counts) {
      if (std::exchange(once, false)) loses ? --counts->inserted : ++counts->unchanged;
    };
    const int n = loses ? 1 : 2;
    play_.script = [n](const UpdateStart&) {
      return Script(Say(One(0, 10 * n, n)), Say(One(0, 10 * n + 1, n)),
                    Mark(1, absl::StrCat(n), {{0, 2}}), Done());
    };
    const SyncOutcome outcome = Run(play_);
    EXPECT_EQ(outcome.status, SyncStatus::kPartial) << loses;
    EXPECT_EQ(StatusOf(outcome, "a"), SyncStatus::kPartial) << loses;
    EXPECT_TRUE(Warned(outcome, absl::StrCat("a: the engine received 2 changes and the destination "
                                             "accounts for ",
                                             loses ? 1 : 3)))
        << loses;
    watch_.after_apply = nullptr;
  }
}

TEST_F(CountsTest, ATruncateDeletesNothingWhereTheDestinationAccountsForOtherRows) {
  play_.script = [](const UpdateStart&) {
    return Script(Say(One(0, 1)), Say(One(0, 2)), Mark(1, "1"), Done());
  };
  ASSERT_EQ(Run(play_).status, SyncStatus::kCompleted);
  watch_.after_apply = [](ChangeCounts* counts) { ++counts->unchanged; };
  play_.script = [](const UpdateStart&) {
    return Script(Say(Rows(0, 2).Truncate()), Say(One(0, 1)), Done());
  };
  const SyncOutcome outcome = Run(play_);
  watch_.after_apply = nullptr;
  EXPECT_EQ(outcome.status, SyncStatus::kPartial);
  EXPECT_EQ(outcome.counts.deleted_by_truncate, 0u);
}

}  // namespace
}  // namespace tidemark
