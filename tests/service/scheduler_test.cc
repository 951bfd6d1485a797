#include "service/scheduler.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/service/scheduler_fixture.h"

namespace tidemark::test {
namespace {

class SchedulerTest : public SchedulerFixture {
 protected:
  void OpenAll(RunnerLimits limits = RunnerLimits()) {
    Open(limits);
    if (runner_ == nullptr) return;
    MakeScheduler(&Clock::Real());
    scheduler_->Run();
  }
  size_t Ended(const std::string& connection) {
    SyncQuery query;
    query.connection = connection;
    query.phases = {SyncPhase::kCompleted, SyncPhase::kPartial, SyncPhase::kFailed};
    return syncs_->List(query).value_or(std::vector<SyncEntry>()).size();
  }
  void Reload() { ASSERT_TRUE(connections_->Reload().ok()); }
};

constexpr char kEverySecond[] = "  frequency: every 1 second\n";
constexpr char kRealtime[] = "  frequency: realtime\n";

TEST_F(SchedulerTest, StartsConnectionsByThemselvesAndOnTime) {
  Generator("shop", "{count: 10}", kEverySecond);
  Generator("manual", "{count: 10}");
  OpenAll();
  Await([&] { return Ended("shop") >= 3; });
  EXPECT_EQ(Ended("manual"), 0u);
  const absl::StatusOr<std::vector<SyncEntry>> entries = syncs_->List({});
  ASSERT_TRUE(entries.ok()) << entries.status();
  for (const SyncEntry& entry : *entries) {
    EXPECT_EQ(entry.trigger, SyncTrigger::kSchedule);
    EXPECT_LT(entry.queued_at_us % 1'000'000, 900'000);
  }
}

TEST_F(SchedulerTest, FollowsTheFolder) {
  OpenAll();
  Generator("shop", "{count: 10}", kEverySecond);
  Reload();
  Await([&] { return Ended("shop") >= 1; });
  std::filesystem::remove(folder_ + "/connections/shop.yaml");
  Reload();
  Await([&] { return !runner_->BusyWith("shop").has_value(); });
  const size_t ended = Ended("shop");
  EXPECT_EQ(scheduler_->StandingOf("shop").next_sync_at, absl::InfiniteFuture());
  EXPECT_EQ(Ended("shop"), ended);
}

TEST_F(SchedulerTest, APauseEndsTheRunningSyncAndResumeGoesOn) {
  Generator("live", "{count: 1000000, rate: 100}", kRealtime);
  OpenAll();
  Await([&] { return Count("rows") > 10; });
  ASSERT_TRUE(connections_->SetPaused("live", true).ok());
  Await([&] { return Ended("live") == 1 && !runner_->BusyWith("live").has_value(); });
  EXPECT_EQ(scheduler_->StandingOf("live").next_sync_at, absl::InfiniteFuture());
  const int64_t rows = Count("rows");
  ASSERT_TRUE(connections_->SetPaused("live", false).ok());
  Await([&] { return Count("rows") > rows; });
}

TEST_F(SchedulerTest, ARealtimeSyncBeginsAgainWithAChangedDefinition) {
  Generator("live", "{count: 1000000, rate: 100}", kRealtime);
  OpenAll();
  Await([&] { return Count("rows") > 10; });
  Generator("live", "{count: 1000000, rate: 100, table: others}", kRealtime);
  Reload();
  Await([&] { return Count("others") > 10; });
}

TEST_F(SchedulerTest, WhatTheEndOfTheServerCutOffGoesOnAtTheNextStart) {
  Generator("slow", "{count: 400, checkpoint_interval: 10, pause_us: 20000}");
  OpenAll();
  Start("slow");
  Await([&] { return Count("rows") >= 20; });
  Close();
  const int64_t rows = Count("rows");
  EXPECT_LT(rows, 400);
  OpenAll();
  Await([&] { return Count("rows") == 400; });
  Await([&] { return Ended("slow") == 2; });
  EXPECT_EQ(syncs_->Last("slow")->trigger, SyncTrigger::kRetry);
  EXPECT_EQ(syncs_->Last("slow")->phase, SyncPhase::kCompleted);
  EXPECT_EQ(syncs_->Last("slow")->counts.inserted, static_cast<uint64_t>(400 - rows));
}

TEST_F(SchedulerTest, FailuresOfOneConnectionGrowItsPausesAndHarmNoOther) {
  Generator("broken", "{count: 10, key_order: sideways}", kEverySecond, "broken.db");
  Generator("good", "{count: 10}", kEverySecond);
  OpenAll();
  Await([&] { return Ended("broken") == 1 && Ended("good") >= 3; });
  EXPECT_EQ(scheduler_->StandingOf("broken").failures_in_a_row, 1u);
  EXPECT_GT(scheduler_->StandingOf("broken").next_sync_at, absl::Now() + absl::Seconds(4));
  EXPECT_EQ(Ended("broken"), 1u);
  scheduler_->Resume("broken");
  Await([&] { return Ended("broken") == 2; });
  // Repaired: it goes on by itself, at once.
  Generator("broken", "{count: 10}", kEverySecond, "broken.db");
  Reload();
  Await([&] { return syncs_->Last("broken")->phase == SyncPhase::kCompleted; });
  EXPECT_EQ(scheduler_->StandingOf("broken").failures_in_a_row, 0u);
}

}  // namespace
}  // namespace tidemark::test
