// The decisions that need no destination: when to commit, how long to wait, which state is which.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/status_context.h"
#include "pipeline/backoff.h"
#include "pipeline/commit_group.h"
#include "pipeline/row_text.h"
#include "pipeline/state_book.h"
#include "tests/pipeline/rows.h"

namespace tidemark {
namespace {

using ::testing::IsEmpty;

constexpr absl::Duration kStart = absl::Seconds(100);

TEST(CommitGroupTest, BecomesDueByRowsBytesOrAgeAtACheckpointOnly) {
  struct Case {
    uint64_t rows;
    uint64_t bytes;
    absl::Duration age;
    bool due;
  };
  const Case cases[] = {
      {9'999, 10, absl::Milliseconds(199), false},
      {10'000, 10, absl::ZeroDuration(), true},
      {1, 8 * 1024 * 1024, absl::ZeroDuration(), true},
      {1, 10, absl::Milliseconds(200), true},
  };
  for (const Case& c : cases) {
    CommitGroup group{GroupLimits()};
    group.AddChanges(c.rows, c.bytes, kStart);
    EXPECT_FALSE(group.Due(kStart + c.age)) << "no checkpoint yet";
    EXPECT_FALSE(group.DueWhenIdle());
    group.AddCheckpoint(kStart + c.age, true);
    EXPECT_EQ(group.Due(kStart + c.age), c.due);
    EXPECT_TRUE(group.DueWhenIdle());
    group.AddChanges(1, 1, kStart + c.age);
    EXPECT_FALSE(group.Due(kStart + c.age)) << "changes behind the checkpoint";
    EXPECT_FALSE(group.DueWhenIdle());
    EXPECT_TRUE(group.has_checkpoint());
  }
}

TEST(CommitGroupTest, AgeCountsFromTheFirstChange) {
  CommitGroup group{GroupLimits()};
  EXPECT_EQ(group.Patience(kStart), absl::InfiniteDuration());
  group.AddChanges(1, 1, kStart);
  group.AddChanges(1, 1, kStart + absl::Seconds(20));
  EXPECT_EQ(group.Patience(kStart + absl::Seconds(20)), absl::Seconds(40));
  EXPECT_FALSE(group.Overdue(kStart + absl::Seconds(59)));
  EXPECT_TRUE(group.Overdue(kStart + absl::Seconds(60)));
  group.Clear();
  EXPECT_FALSE(group.open());
  EXPECT_FALSE(group.Overdue(kStart + absl::Seconds(90)));
}

TEST(CommitGroupTest, TimeBasedGroupsDoNotCommitWhenIdle) {
  GroupLimits limits;
  limits.when_idle = false;
  limits.rows = limits.bytes = std::numeric_limits<uint64_t>::max();
  limits.age = absl::Seconds(10);
  CommitGroup group(limits);
  group.AddChanges(1'000'000, 1, kStart);
  group.AddCheckpoint(kStart, true);
  EXPECT_FALSE(group.DueWhenIdle());
  EXPECT_EQ(group.Patience(kStart + absl::Seconds(3)), absl::Seconds(7));
  EXPECT_TRUE(group.Due(kStart + absl::Seconds(10)));
}

TEST(CommitGroupTest, FlushAsksForTheLastCheckpoint) {
  CommitGroup group{GroupLimits()};
  group.AddFlush();
  EXPECT_FALSE(group.flush()) << "there is nothing to commit";
  group.AddChanges(1, 1, kStart);
  group.AddCheckpoint(kStart, true);
  group.AddFlush();
  EXPECT_TRUE(group.Due(kStart));
}

TEST(BackoffTest, DoublesUpToItsMaximumWithJitter) {
  RetryPolicy policy;
  policy.first = absl::Seconds(1);
  policy.max = absl::Seconds(30);
  const auto random = SeededBits(7);
  Backoff backoff(policy, *random);
  for (int failures = 1; failures <= 20; ++failures) {
    const absl::Duration whole =
        std::min(absl::Seconds(30), absl::Seconds(1) * (int64_t{1} << (failures - 1)));
    const absl::Duration wait = backoff.Wait(failures, absl::UnavailableError("x"));
    EXPECT_GE(wait, whole / 2) << failures;
    EXPECT_LE(wait, whole) << failures;
  }
  const auto seven = SeededBits(7);
  const auto eight = SeededBits(8);
  Backoff same(policy, *seven);
  Backoff other(policy, *eight);
  EXPECT_NE(same.Wait(9, absl::UnavailableError("x")), other.Wait(9, absl::UnavailableError("x")));
}

TEST(BackoffTest, RetryAfterWins) {
  Backoff backoff(RetryPolicy(), RandomBits::Real());
  const absl::Status status = WithRetryAfter(absl::UnavailableError("x"), absl::Minutes(5));
  EXPECT_EQ(backoff.Wait(1, status), absl::Minutes(5));
}

TEST(StateBookTest, GivesTheSourceWhatHoldsSomethingAndKeepsParentsBodies) {
  Acquired acquired;
  StateEntry state;
  state.body = "42";
  state.version = 3;
  acquired.states.push_back(state);
  StateEntry counts_only;
  counts_only.table = "log";
  counts_only.version = 1;
  acquired.states.push_back(counts_only);
  StateBook book;
  book.Load(acquired);
  ASSERT_EQ(book.ForSource().size(), 1U);
  EXPECT_TRUE(book.Same(state));
  CommitRequest request;
  EntryCommit& kept = request.entries.emplace_back();
  kept.entry = "";
  kept.expected_version = 3;
  EXPECT_FALSE(book.Committed(request, CommitResult())) << "the state did not move";
  EXPECT_EQ(book.VersionOf(""), 4);
  EXPECT_EQ(book.Find("")->body, "42");
  EXPECT_FALSE(book.Moved(""));
  request.entries[0].expected_version = 4;
  request.entries[0].state = state;
  request.entries[0].state->body = "43";
  EXPECT_TRUE(book.Committed(request, CommitResult()));
  EXPECT_TRUE(book.Moved(""));
  EXPECT_FALSE(book.Same(state));
  EXPECT_EQ(book.VersionOf("new"), 0);
}

TEST(StateBookTest, ReleasableBodiesAreTakenOnce) {
  StateBook book;
  Acquired acquired;
  acquired.releasable.resize(1);
  acquired.releasable[0].body = "old";
  book.Load(acquired);
  EXPECT_EQ(book.Releasable().size(), 1U);
  EXPECT_THAT(book.TakeReleasable(), IsEmpty());
  CommitResult result;
  result.releasable.resize(1);
  result.releasable[0].body = "newer";
  book.Committed(CommitRequest(), result);
  const auto taken = book.TakeReleasable();
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].body, "newer");
  EXPECT_THAT(book.TakeReleasable(), IsEmpty());
}

TEST(RowTextTest, RecordIdsAreKeysAsText) {
  const std::vector<NamedColumn> one = {{"id", true}, {"v"}};
  const std::vector<NamedColumn> two = {{"a", true}, {"v"}, {"b", true}};
  const std::vector<NamedColumn> hidden = {{"id", true, true}};
  const std::vector<Value> row = {Value::String("CUST1"), Value::Int64(5), Value::Int64(7)};
  EXPECT_EQ(RecordId(one, row), "CUST1");
  EXPECT_EQ(RecordId(two, row), "[\"CUST1\",7]");
  EXPECT_EQ(RecordId(hidden, row), "***");
  EXPECT_EQ(RecordId({}, row), "");
}

TEST(RowTextTest, ChangesAreOneJsonDocument) {
  const std::vector<NamedColumn> columns = {{"id", true}, {"a\"b"}, {"j"}, {"u"}, {"bad"}};
  const std::vector<Value> row = {Value::Text(ValueKind::kDecimal, "1.50"), Value::Double(0.5),
                                  Value::Text(ValueKind::kJson, "{\"x\": [1]}"), Value::Unchanged(),
                                  Value::Text(ValueKind::kJson, "{broken")};
  EXPECT_EQ(ChangeJson(ChangeKind::kUpdate, columns, row, absl::MakeConstSpan(row).subspan(0, 1)),
            "{\"op\":\"update\",\"values\":{\"id\":\"1.5\",\"a\\\"b\":0.5,\"j\":{\"x\": [1]},"
            "\"bad\":\"{broken\"},\"before\":{\"id\":\"1.5\"}}");
  EXPECT_EQ(ChangeJson(ChangeKind::kDelete, columns, row, {}),
            "{\"op\":\"delete\",\"values\":{\"id\":\"1.5\"}}");
}

}  // namespace
}  // namespace tidemark
