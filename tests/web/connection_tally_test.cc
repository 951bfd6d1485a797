#include "web/connection_tally.h"

#include "gtest/gtest.h"

namespace tidemark {
namespace {

const absl::Time kTallied = absl::FromUnixSeconds(1'700'000'000);

SyncEntry Entry(SyncPhase phase, int64_t began = 100, int64_t ended = 130) {
  SyncEntry entry;
  entry.sync_id = "s1";
  entry.phase = phase;
  entry.started_at_us = began * 1'000'000;
  entry.ended_at_us = ended * 1'000'000;
  return entry;
}

SyncProgress Progress(uint64_t inserted, uint64_t commits) {
  SyncProgress progress;
  progress.counts.inserted = inserted;
  progress.commits = commits;
  progress.bytes = inserted * 100;
  for (uint64_t i = 0; i < commits; ++i) progress.commit_latency.Add(absl::Milliseconds(2));
  return progress;
}

TEST(ConnectionTally, CountsWhatARunningSyncCommittedOnce) {
  ConnectionTally tally;
  tally.Begin(Entry(SyncPhase::kRunning), false);
  EXPECT_EQ(tally.running(), 1U);
  tally.Progress(Entry(SyncPhase::kRunning), Progress(10, 1), kTallied);
  tally.Progress(Entry(SyncPhase::kRunning), Progress(30, 2), kTallied);
  tally.Progress(Entry(SyncPhase::kRunning), Progress(20, 2), kTallied);  // came late
  EXPECT_EQ(tally.totals().counts.inserted, 30U);
  SyncOutcome outcome;
  outcome.counts.inserted = 35;
  outcome.counts.dead_letter = 1;
  outcome.bytes = 3500;
  outcome.commits = 3;
  outcome.restarts = 1;
  for (int i = 0; i < 3; ++i) outcome.commit_latency.Add(absl::Milliseconds(2));
  outcome.tables.emplace_back().late = 4;
  outcome.state.push_back({"", 3, 6, "", std::string(50, 'x')});
  outcome.state.push_back({"t", 0, 1, "", std::string(7, 'x')});
  tally.End(Entry(SyncPhase::kPartial), &outcome);
  EXPECT_EQ(tally.running(), 0U);
  EXPECT_EQ(tally.totals().counts.inserted, 35U);
  EXPECT_EQ(tally.totals().commits, 3U);
  EXPECT_EQ(tally.totals().commit_latency.counts[1], 3U);  // up to 2.5 ms
  EXPECT_EQ(tally.syncs()[1], 1U);
  EXPECT_EQ(tally.late_rows(), 4U);
  EXPECT_EQ(tally.state_versions(), 4U);
  EXPECT_EQ(tally.state_bytes(), 57U);
  EXPECT_EQ(tally.restarts(), 1U);
  EXPECT_EQ(tally.last_duration(), absl::Seconds(30));
  EXPECT_EQ(tally.last_failed(), false);
  EXPECT_EQ(tally.up_to_date(), absl::FromUnixSeconds(100));
}

TEST(ConnectionTally, OnlyWholeSyncsThatDidNotFailSayHowFarItHasCome) {
  const struct {
    const char* what;
    SyncPhase phase;
    SyncTrigger trigger;
    bool narrowed, interrupted;
    int64_t reached;  // 0: nothing
  } kRows[] = {
      {"completed", SyncPhase::kCompleted, SyncTrigger::kSchedule, false, false, 100},
      {"by a call", SyncPhase::kCompleted, SyncTrigger::kCall, false, false, 100},
      {"a retry", SyncPhase::kPartial, SyncTrigger::kRetry, false, false, 100},
      {"failed", SyncPhase::kFailed, SyncTrigger::kSchedule, false, false, 0},
      {"some tables", SyncPhase::kCompleted, SyncTrigger::kCall, true, false, 0},
      {"interrupted", SyncPhase::kPartial, SyncTrigger::kSchedule, false, true, 0},
      {"dead letters", SyncPhase::kCompleted, SyncTrigger::kReplay, false, false, 0},
      {"a repair", SyncPhase::kCompleted, SyncTrigger::kRepair, false, false, 0},
      {"a stream", SyncPhase::kCompleted, SyncTrigger::kIngest, false, false, 130},
  };
  for (const auto& row : kRows) {
    ConnectionTally tally;
    SyncEntry entry = Entry(row.phase);
    entry.trigger = row.trigger;
    entry.narrowed = row.narrowed;
    entry.interrupted = row.interrupted;
    tally.End(entry, nullptr);
    if (row.reached == 0) {
      EXPECT_FALSE(tally.up_to_date().has_value()) << row.what;
    } else {
      EXPECT_EQ(tally.up_to_date(), absl::FromUnixSeconds(row.reached)) << row.what;
    }
  }
}

TEST(ConnectionTally, ASyncWithoutEndIsUpToDateWhileItWaits) {
  ConnectionTally tally;
  tally.Begin(Entry(SyncPhase::kRunning), true);
  SyncProgress progress = Progress(1, 1);
  tally.Progress(Entry(SyncPhase::kRunning), progress, kTallied);
  EXPECT_FALSE(tally.up_to_date().has_value());
  progress.lag = absl::Seconds(3);
  tally.Progress(Entry(SyncPhase::kRunning), progress, kTallied);
  EXPECT_EQ(tally.up_to_date(), kTallied - absl::Seconds(3));
  progress.phase = "waiting";
  tally.Progress(Entry(SyncPhase::kRunning), progress, kTallied + absl::Seconds(60));
  EXPECT_EQ(tally.up_to_date(), kTallied + absl::Seconds(60));

  ConnectionTally batch;  // which may wait for its first row
  batch.Begin(Entry(SyncPhase::kRunning), false);
  batch.Progress(Entry(SyncPhase::kRunning), progress, kTallied);
  EXPECT_FALSE(batch.up_to_date().has_value());
}

TEST(ConnectionTally, TheHistoryFillsWhatIsNotKnown) {
  ConnectionTally tally;
  tally.End(Entry(SyncPhase::kFailed, 200, 210), nullptr);
  tally.Recall(Entry(SyncPhase::kCompleted, 100, 105));
  EXPECT_EQ(tally.last_failed(), true);
  EXPECT_EQ(tally.last_duration(), absl::Seconds(10));
  EXPECT_EQ(tally.up_to_date(), absl::FromUnixSeconds(100));
  EXPECT_EQ(tally.syncs()[0], 0U);
  EXPECT_EQ(tally.syncs()[2], 1U);
}

TEST(ConnectionTally, ASyncThatAnotherServerHoldsIsNone) {
  ConnectionTally tally;
  SyncEntry entry = Entry(SyncPhase::kFailed);
  entry.held_elsewhere = true;
  tally.End(entry, nullptr);
  EXPECT_EQ(tally.syncs()[2], 0U);
  EXPECT_FALSE(tally.last_failed().has_value());
}

TEST(ConnectionTally, Merges) {
  ConnectionTally one;
  one.Begin(Entry(SyncPhase::kRunning), false);
  one.Progress(Entry(SyncPhase::kRunning), Progress(10, 1), kTallied);
  ConnectionTally other;
  other.Begin(Entry(SyncPhase::kRunning), false);
  other.Progress(Entry(SyncPhase::kRunning), Progress(5, 2), kTallied);
  other.End(Entry(SyncPhase::kCompleted), nullptr);
  one.Merge(other);
  EXPECT_EQ(one.totals().counts.inserted, 15U);
  EXPECT_EQ(one.totals().commits, 3U);
  EXPECT_EQ(one.syncs()[0], 1U);
  EXPECT_EQ(one.running(), 1U);
}

}  // namespace
}  // namespace tidemark
