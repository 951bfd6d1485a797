#include "web/alert_history.h"

#include "gtest/gtest.h"

namespace tidemark {
namespace {

SyncEntry Ended(int64_t second, SyncPhase phase, const std::string& id = "") {
  SyncEntry entry;
  entry.connection = "shop";
  entry.sync_id = id.empty() ? std::to_string(second) : id;
  entry.phase = phase;
  entry.queued_at_us = entry.ended_at_us = second * 1'000'000;
  entry.error = phase == SyncPhase::kFailed ? "error " + std::to_string(second) : "";
  return entry;
}

TEST(AlertHistory, TheNewestEndedSyncDecides) {
  AlertHistory history(absl::Hours(1));
  EXPECT_FALSE(history.LastFailure("shop").has_value());
  history.Add(Ended(100, SyncPhase::kFailed));
  EXPECT_EQ(history.LastFailure("shop"), "error 100");
  EXPECT_FALSE(history.LastSuccess("shop").has_value());
  history.Add(Ended(200, SyncPhase::kPartial));
  EXPECT_FALSE(history.LastFailure("shop").has_value());
  EXPECT_EQ(history.LastSuccess("shop"), absl::FromUnixSeconds(200));
  // The stored history comes later, newest first, and knows these two as well.
  history.Recall({Ended(200, SyncPhase::kPartial), Ended(100, SyncPhase::kFailed),
                  Ended(50, SyncPhase::kFailed), Ended(40, SyncPhase::kCompleted)});
  EXPECT_FALSE(history.LastFailure("shop").has_value());
  const AlertSums sums = history.Sums("shop", absl::FromUnixSeconds(0));
  EXPECT_EQ(sums.ended, 4U);
  EXPECT_EQ(sums.failed, 2U);
}

TEST(AlertHistory, SyncsThatSayNothingAreLeftOut) {
  AlertHistory history(absl::Hours(1));
  SyncEntry interrupted = Ended(100, SyncPhase::kFailed);
  interrupted.interrupted = true;
  history.Add(interrupted);
  SyncEntry elsewhere = Ended(101, SyncPhase::kFailed);
  elsewhere.held_elsewhere = true;
  history.Add(elsewhere);
  for (const SyncTrigger trigger : {SyncTrigger::kReplay, SyncTrigger::kRepair}) {
    SyncEntry own = Ended(102, SyncPhase::kFailed);
    own.trigger = trigger;
    history.Add(own);
  }
  history.Add(Ended(103, SyncPhase::kRunning));
  EXPECT_FALSE(history.LastFailure("shop").has_value());
  EXPECT_EQ(history.Sums("shop", absl::InfinitePast()).ended, 0U);
}

TEST(AlertHistory, SumsAreOfTheWindow) {
  AlertHistory history(absl::Hours(1));
  for (int64_t second = 1; second <= 10; ++second) {
    SyncEntry entry = Ended(second, second % 2 == 0 ? SyncPhase::kFailed : SyncPhase::kCompleted);
    entry.counts.conflict = 1;
    entry.counts.dead_letter = 10;
    history.Add(entry);
  }
  const AlertSums sums = history.Sums("shop", absl::FromUnixSeconds(8));
  EXPECT_EQ(sums.ended, 3U);
  EXPECT_EQ(sums.failed, 2U);
  EXPECT_EQ(sums.conflicts, 3U);
  EXPECT_EQ(sums.dead_letters, 30U);
  EXPECT_EQ(history.Sums("other", absl::InfinitePast()).ended, 0U);
}

TEST(AlertHistory, ForgetsBeyondItsMemoryAndItsSize) {
  AlertHistory history(absl::Seconds(10));
  history.Add(Ended(1, SyncPhase::kCompleted));
  history.Add(Ended(100, SyncPhase::kFailed));
  EXPECT_EQ(history.Sums("shop", absl::InfinitePast()).ended, 1U);
  EXPECT_EQ(history.LastSuccess("shop"), absl::FromUnixSeconds(1));
  for (size_t i = 0; i <= AlertHistory::kSyncs; ++i) {
    history.Add(Ended(101, SyncPhase::kFailed, "same second " + std::to_string(i)));
  }
  EXPECT_EQ(history.Sums("shop", absl::InfinitePast()).ended, AlertHistory::kSyncs);
  history.Forget("shop");
  EXPECT_EQ(history.Sums("shop", absl::InfinitePast()).ended, 0U);
}

}  // namespace
}  // namespace tidemark
