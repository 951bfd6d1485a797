// A connection's changes come no faster than its limits let them.
#include "pipeline/rate_limit.h"

#include <gmock/gmock.h>

#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "pipeline/limited_source.h"
#include "tests/pipeline/sync_fixture.h"

namespace tidemark {
namespace {

using ::testing::ElementsAre;

TEST(RateLimitTest, ASecondsWorthComesAtOnceAndTheRestIsPaidFor) {
  RateLimit limit({.rows = 100});
  absl::Duration now = absl::Hours(1);
  EXPECT_EQ(limit.Owed(now), absl::ZeroDuration());
  limit.Take(100, 0, now);
  EXPECT_EQ(limit.Owed(now), absl::ZeroDuration());
  limit.Take(250, 0, now);
  EXPECT_EQ(limit.Owed(now), absl::Milliseconds(2500));
  now += absl::Seconds(2);
  EXPECT_EQ(limit.Owed(now), absl::Milliseconds(500));
  // However long nothing comes: no more than a second's worth is saved up.
  now += absl::Hours(5);
  limit.Take(200, 0, now);
  EXPECT_EQ(limit.Owed(now), absl::Seconds(1));
}

TEST(RateLimitTest, TheTighterOfBothLimitsCounts) {
  struct Case {
    RateLimits limits;
    absl::Duration owed;
  };
  for (const Case& c :
       {Case{{}, absl::ZeroDuration()}, Case{{.rows = 10}, absl::Seconds(4)},
        Case{{.bytes = 100}, absl::Seconds(9)}, Case{{.rows = 10, .bytes = 100}, absl::Seconds(9)},
        Case{{.rows = 1, .bytes = 100}, absl::Seconds(49)}}) {
    RateLimit limit(c.limits);
    limit.Take(50, 1000, absl::Hours(1));
    EXPECT_EQ(limit.Owed(absl::Hours(1)), c.owed) << c.limits.rows << " " << c.limits.bytes;
  }
}

class LimitedSyncTest : public SyncFixture {
 protected:
  LimitedSyncTest() {
    play_.tables = {Table("a", {{"id", DataType::kLong, true}, {"v", DataType::kLong}})};
  }
  static Move Batch(int first, int count) {
    Rows rows(0, 2);
    for (int id = first; id < first + count; ++id) rows.Add(ChangeKind::kUpsert, {id, 0});
    return Say(std::move(rows));
  }
  // Notes when the source is asked for what follows.
  Move Note() {
    return Do([this] { asked_.push_back(absl::ToInt64Milliseconds(clock_.Monotonic())); });
  }
  Play play_;
  std::vector<int64_t> asked_;
};

TEST_F(LimitedSyncTest, HoldsTheConnectorBackAndCommitsMeanwhile) {
  options_.rate.rows = 100;
  std::vector<size_t> commits;
  play_.script = [&](const UpdateStart&) {
    Moves moves;
    for (uint64_t i = 0; i < 5; ++i) {
      moves.push_back(Do([&] { commits.push_back(watch_.commits.size()); }));
      moves.push_back(Note());
      moves.push_back(Batch(static_cast<int>(i) * 100, 100));
      moves.push_back(Mark(i + 1, absl::StrCat(i)));
    }
    moves.push_back(Note());
    moves.push_back(Done());
    return moves;
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_EQ(outcome.counts.inserted, 500u);
  // A second's worth at once, one that is paid for afterwards; each further one is asked for when
  // the one before it may go on, and waits here.
  EXPECT_THAT(asked_, ElementsAre(0, 0, 0, 1000, 2000, 3000));
  // What stands is committed while the next batch waits.
  EXPECT_THAT(commits, ElementsAre(0u, 0u, 0u, 1u, 2u));
}

TEST_F(LimitedSyncTest, LimitsBytesToo) {
  Rows rows(0, 2);
  rows.Add(ChangeKind::kUpsert, {1, 0});
  const uint64_t bytes = std::move(rows).Take().encoded_bytes;
  options_.rate.bytes = 10 * bytes;
  play_.script = [&](const UpdateStart&) {
    return Script(Batch(0, 30), Batch(100, 1), Note(), Mark(1, "1"), Done());
  };
  EXPECT_EQ(Run(play_).status, SyncStatus::kCompleted);
  EXPECT_THAT(asked_, ElementsAre(2000));
}

TEST_F(LimitedSyncTest, AnInterruptIsSeenWhileABatchWaits) {
  options_.rate.rows = 1;
  play_.script = [&](const UpdateStart&) {
    return Script(Batch(0, 1000), Mark(1, "1"), Batch(2000, 10), Mark(2, "2"), Done());
  };
  clock_.on_sleep = [this] {
    if (clock_.slept() >= absl::Seconds(5)) interrupt_.Request();
  };
  const SyncOutcome outcome = Run(play_);
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_EQ(outcome.counts.inserted, 1000u);
  EXPECT_LE(clock_.Monotonic(), absl::Milliseconds(5200));
  EXPECT_EQ(play_.cancelled, 1);
}

TEST_F(LimitedSyncTest, AllWhoWorkOnAConnectionShareItsLimit) {
  RateLimit limit({.rows = 10});
  play_.script = [](const UpdateStart&) { return Script(Batch(0, 20), Batch(20, 20), Done()); };
  std::vector<std::unique_ptr<ChangeSource>> sources;
  for (int i = 0; i < 2; ++i) {
    sources.push_back(LimitRate(std::make_unique<ScriptedSource>(play_, clock_), &limit, &clock_));
    ASSERT_TRUE(sources.back()->Start({}).ok());
  }
  const auto takes = [&](size_t source) {
    const auto event = sources[source]->Next(clock_.Now());
    EXPECT_TRUE(event.ok()) << event.status();
    return event.ok() && event->has_value();
  };
  EXPECT_TRUE(takes(0));  // 10 at once, 10 to be paid for
  EXPECT_FALSE(takes(1));
  clock_.Advance(absl::Milliseconds(900));
  EXPECT_FALSE(takes(1));
  clock_.Advance(absl::Milliseconds(100));
  EXPECT_TRUE(takes(1));
  EXPECT_FALSE(takes(0));
  sources[0]->Cancel();
  EXPECT_TRUE(takes(0));  // what its own source says
}

}  // namespace
}  // namespace tidemark
