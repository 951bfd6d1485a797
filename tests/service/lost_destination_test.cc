// A destination that disappears for five minutes: its connection pauses and goes on by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/service/scheduler_fixture.h"
#include "tests/service/test_clock.h"

namespace tidemark::test {
namespace {

namespace fs = std::filesystem;

constexpr char kDatabase[] = "volume/warehouse.db";
constexpr char kEveryMinute[] = "  frequency: every 1 minute\n";

// How many ends have been told to everybody: added behind the scheduler.
class Ends final : public SyncListener {
 public:
  void OnSyncEnded(const SyncEntry&, const SyncOutcome*) override { ++count; }
  std::atomic<size_t> count{0};
};

// Schedules and pauses follow a clock of the test; syncs are real ones.
class LostDestinationTest : public SchedulerFixture {
 protected:
  void SetUp() override {
    SchedulerFixture::SetUp();
    fs::create_directory(folder_ + "/volume");
  }
  void OpenAll() {
    Open();
    MakeScheduler(&clock_, catalog_.get());
    runner_->AddListener(&ends_);
  }
  // Time passes; what is due meanwhile runs to its end.
  void Pass(absl::Duration time) {
    for (absl::Duration step; time > absl::ZeroDuration(); time -= step) {
      step = std::min(time, absl::Seconds(1));
      clock_.Advance(step);
      scheduler_->Step();
      Await([&] { return ends_.count == syncs_->List({})->size(); });
    }
  }
  std::vector<SyncEntry> Failed() {
    SyncQuery query;
    query.phases = {SyncPhase::kFailed};
    return syncs_->List(query).value_or(std::vector<SyncEntry>());
  }

  TestClock clock_{absl::Now()};
  Ends ends_;
};

TEST_F(LostDestinationTest, ItsConnectionGoesOnByItselfAndNothingIsLostOrDoubled) {
  Generator("shop", "{count: 300}", kEveryMinute, kDatabase);
  OpenAll();
  Pass(absl::Minutes(1));
  ASSERT_EQ(Count("rows", kDatabase), 300);
  // The source goes on, the volume is not there.
  Generator("shop", "{count: 700}", kEveryMinute, kDatabase);
  ASSERT_TRUE(connections_->Reload().ok());
  fs::rename(folder_ + "/volume", folder_ + "/unmounted");
  Pass(absl::Minutes(5));
  const std::vector<SyncEntry> failed = Failed();
  // Pauses of 10 s, 20 s, 40 s, 80 s, 160 s, each less a part.
  EXPECT_GE(failed.size(), 4u);
  EXPECT_LE(failed.size(), 7u);
  for (const SyncEntry& sync : failed) EXPECT_NE(sync.error, "");
  EXPECT_FALSE(fs::exists(folder_ + "/volume")) << "a database beside the lost one";
  // It is back: nobody is asked.
  fs::rename(folder_ + "/unmounted", folder_ + "/volume");
  Pass(absl::Minutes(6));
  EXPECT_EQ(Failed().size(), failed.size());
  EXPECT_EQ(scheduler_->StandingOf("shop").failures_in_a_row, 0u);
  const SyncEntry last = *syncs_->Last("shop");
  EXPECT_EQ(last.phase, SyncPhase::kCompleted) << last.error;
  EXPECT_EQ(Count("rows", kDatabase), 700);
  EXPECT_EQ(Count("(SELECT DISTINCT id FROM rows)", kDatabase), 700);
  // Each row was written once.
  SyncQuery query;
  query.phases = {SyncPhase::kCompleted};
  uint64_t inserted = 0;
  const absl::StatusOr<std::vector<SyncEntry>> completed = syncs_->List(query);
  ASSERT_TRUE(completed.ok()) << completed.status();
  for (const SyncEntry& sync : *completed) {
    inserted += sync.counts.inserted;
    EXPECT_EQ(sync.counts.updated, 0u);
  }
  EXPECT_EQ(inserted, 700u);
}

TEST_F(LostDestinationTest, ARestartOfTheServerClosesNoBreaker) {
  Generator("shop", "{count: 300}", kEveryMinute, kDatabase);
  Generator("other", "{count: 300}", "", "other.db");
  fs::rename(folder_ + "/volume", folder_ + "/unmounted");
  OpenAll();
  Pass(absl::Minutes(7));
  const ConnectionStanding before = scheduler_->StandingOf("shop");
  ASSERT_TRUE(before.breaker_open) << before.failures_in_a_row;
  const size_t failed = Failed().size();
  Close();
  OpenAll();
  const ConnectionStanding after = scheduler_->StandingOf("shop");
  EXPECT_TRUE(after.breaker_open);
  EXPECT_EQ(after.failures_in_a_row, before.failures_in_a_row);
  EXPECT_LT(absl::AbsDuration(after.next_sync_at - before.next_sync_at), absl::Milliseconds(1));
  scheduler_->Step();
  EXPECT_FALSE(runner_->BusyWith("shop").has_value());
  EXPECT_EQ(Failed().size(), failed);
  // Where nothing failed, nothing is stored; a success takes it away.
  fs::rename(folder_ + "/unmounted", folder_ + "/volume");
  Pass(absl::Minutes(12));
  EXPECT_EQ(syncs_->Last("shop")->phase, SyncPhase::kCompleted);
  Close();
  EXPECT_EQ(Count("connection_failures", "data/catalog.db"), 0);
  // A definition that was changed meanwhile begins anew.
  fs::rename(folder_ + "/volume", folder_ + "/unmounted");
  OpenAll();
  Pass(absl::Minutes(1));
  ASSERT_GE(scheduler_->StandingOf("shop").failures_in_a_row, 1u);
  Close();
  Generator("shop", "{count: 400}", kEveryMinute, kDatabase);
  OpenAll();
  EXPECT_EQ(scheduler_->StandingOf("shop").failures_in_a_row, 0u);
  EXPECT_EQ(Count("connection_failures", "data/catalog.db"), 0);
}

}  // namespace
}  // namespace tidemark::test
