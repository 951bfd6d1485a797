#include "service/timetable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/service/test_clock.h"

namespace tidemark::test {
namespace {

using Ending = Timetable::Ending;

absl::Time At(const char* text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << error;
  return time;
}

class TimetableTest : public testing::Test {
 protected:
  Timetable::Moment Now() { return {clock_.Now(), clock_.Monotonic()}; }
  static Timetable::Plan PlanOf(const std::string& frequency, uint64_t version = 1) {
    absl::StatusOr<Schedule> schedule = Schedule::Parse(frequency, "UTC", absl::Duration(), "c");
    EXPECT_TRUE(schedule.ok()) << schedule.status();
    Timetable::Plan plan;
    plan.schedule = *schedule;
    plan.version = version;
    return plan;
  }
  void Set(const std::string& name, const std::string& frequency, uint64_t version = 1) {
    table_.Set(name, PlanOf(frequency, version), clock_.Now(), Now());
  }
  std::vector<std::string> Due() {
    std::vector<std::string> names;
    for (const Timetable::Start& start : table_.TakeDue(Now())) {
      names.push_back(start.connection);
      trigger_ = start.trigger;
      continuous_ = start.continuous;
    }
    return names;
  }
  // Walks on in steps of a quarter of a second; when the next start came.
  absl::Duration UntilDue(absl::Duration longest = absl::Hours(3)) {
    const absl::Duration begin = clock_.Monotonic();
    while (clock_.Monotonic() - begin < longest) {
      if (!Due().empty()) return clock_.Monotonic() - begin;
      clock_.Advance(absl::Milliseconds(250));
    }
    return absl::InfiniteDuration();
  }
  void RunAndEnd(const std::string& name, Ending ending) {
    const std::string id = absl::StrCat("sync_", ++syncs_);
    table_.OnStarted(name, id, Now());
    table_.OnEnded(name, id, ending, Now());
  }

  TestClock clock_{At("2026-03-02T10:00:03Z")};
  std::unique_ptr<RandomBits> random_ = SeededBits(7);
  Timetable table_{random_.get()};
  SyncTrigger trigger_ = SyncTrigger::kCall;
  bool continuous_ = false;
  int syncs_ = 0;
};

TEST_F(TimetableTest, StartsAtThePlannedTimes) {
  Set("c", "every 10 seconds");
  EXPECT_TRUE(Due().empty());
  EXPECT_EQ(UntilDue(), absl::Seconds(7));
  EXPECT_EQ(trigger_, SyncTrigger::kSchedule);
  RunAndEnd("c", Ending::kDone);
  EXPECT_EQ(UntilDue(), absl::Seconds(10));
}

TEST_F(TimetableTest, DoesNotStartWhatRunsAndMakesUpForTheMissedStartOnce) {
  Set("c", "every 10 seconds");
  UntilDue();
  table_.OnStarted("c", "a", Now());
  clock_.Advance(absl::Seconds(35));
  EXPECT_TRUE(Due().empty());
  table_.OnEnded("c", "a", Ending::kDone, Now());
  EXPECT_EQ(Due(), std::vector<std::string>{"c"});
  RunAndEnd("c", Ending::kDone);
  EXPECT_EQ(UntilDue(), absl::Seconds(5));
}

TEST_F(TimetableTest, StartsMissedWhileTheServerWasDownCountOnce) {
  table_.Set("c", PlanOf("hourly"), clock_.Now() - absl::Hours(30), Now());
  EXPECT_EQ(Due(), std::vector<std::string>{"c"});
  RunAndEnd("c", Ending::kDone);
  EXPECT_TRUE(Due().empty());
  EXPECT_EQ(table_.StandingOf("c", Now()).next_sync_at, At("2026-03-02T11:00:00Z"));
}

TEST_F(TimetableTest, ANewConnectionWaitsForItsTime) {
  Set("c", "hourly");
  EXPECT_TRUE(Due().empty());
  EXPECT_EQ(table_.Patience(Now()), absl::Hours(1) - absl::Seconds(3));
}

TEST_F(TimetableTest, AMachineThatSleptMakesUpForItOnce) {
  Set("c", "every 10 seconds");
  UntilDue();
  RunAndEnd("c", Ending::kDone);
  clock_.Set(absl::Hours(8));  // the steady clock stood still
  EXPECT_EQ(Due(), std::vector<std::string>{"c"});
  EXPECT_EQ(table_.clock_step(), absl::Hours(8));
  RunAndEnd("c", Ending::kDone);
  EXPECT_TRUE(Due().empty());
  EXPECT_EQ(UntilDue(), absl::Seconds(10));
}

TEST_F(TimetableTest, AClockSetBackDelaysNoInterval) {
  Set("c", "every 10 seconds");
  UntilDue();
  RunAndEnd("c", Ending::kDone);
  clock_.Set(-absl::Hours(5));
  EXPECT_LE(UntilDue(), absl::Seconds(15));
}

TEST_F(TimetableTest, AClockSetBackALittleDoesNotRepeatAStart) {
  Set("c", "every 10 seconds");
  UntilDue();  // 10:00:10
  RunAndEnd("c", Ending::kDone);
  clock_.Set(-absl::Seconds(2));
  EXPECT_EQ(UntilDue(), absl::Seconds(12));  // not at 10:00:10 once more
}

TEST_F(TimetableTest, ADailyStartIsNotRepeatedByAClockSetBack) {
  Set("c", "5 10 * * *");
  UntilDue();  // 10:05
  RunAndEnd("c", Ending::kDone);
  clock_.Advance(absl::Minutes(30));
  EXPECT_TRUE(Due().empty());
  clock_.Set(-absl::Hours(1));
  EXPECT_TRUE(Due().empty());
  EXPECT_EQ(table_.StandingOf("c", Now()).next_sync_at, At("2026-03-03T10:05:00Z"));
}

TEST_F(TimetableTest, AClockSetFarAheadAndBackAgainGoesOn) {
  Set("c", "hourly");
  clock_.Set(absl::Hours(24 * 365));
  EXPECT_EQ(Due().size(), 1u);
  RunAndEnd("c", Ending::kDone);
  clock_.Set(-absl::Hours(24 * 365));
  EXPECT_TRUE(Due().empty());
  EXPECT_LE(table_.StandingOf("c", Now()).next_sync_at, clock_.Now() + absl::Hours(2));
}

TEST_F(TimetableTest, RetriesWithGrowingPausesAndAtMostTenMinutes) {
  Set("c", "daily");
  clock_.Set(absl::Hours(14));
  ASSERT_EQ(Due().size(), 1u);
  absl::Duration last;
  for (int failure = 1; failure < Timetable::kBreakerOpens; ++failure) {
    RunAndEnd("c", Ending::kMayPass);
    const absl::Duration pause = UntilDue();
    const absl::Duration whole = absl::Seconds(10) * (1 << (failure - 1));
    EXPECT_EQ(trigger_, SyncTrigger::kRetry);
    EXPECT_GE(pause, whole * 0.74) << failure;
    EXPECT_LE(pause, whole + absl::Seconds(1)) << failure;
    EXPECT_GT(pause, last);
    last = pause;
  }
  RunAndEnd("c", Ending::kDone);
  EXPECT_EQ(table_.StandingOf("c", Now()).failures_in_a_row, 0u);
  EXPECT_GT(UntilDue(), absl::Hours(2));
}

TEST_F(TimetableTest, AFailureOfTheConfigurationWaitsForTheScheduleOrAChange) {
  Set("c", "hourly");
  UntilDue();
  RunAndEnd("c", Ending::kNeedsSomebody);
  EXPECT_EQ(UntilDue(), absl::Hours(1));
  RunAndEnd("c", Ending::kNeedsSomebody);
  clock_.Advance(absl::Minutes(1));
  EXPECT_TRUE(Due().empty());
  Set("c", "hourly", 2);
  EXPECT_EQ(Due().size(), 1u);
}

TEST_F(TimetableTest, TheBreakerLetsSingleTrialsThrough) {
  Set("c", "every 10 seconds");
  UntilDue();
  for (int i = 0; i < Timetable::kBreakerOpens; ++i) {
    if (i > 0) UntilDue();
    RunAndEnd("c", Ending::kMayPass);
  }
  EXPECT_TRUE(table_.StandingOf("c", Now()).breaker_open);
  absl::Duration last = absl::Seconds(100);
  for (int i = 0; i < 8; ++i) {
    const absl::Duration pause = UntilDue();
    EXPECT_GT(pause, last * 0.74);
    EXPECT_LE(pause, absl::Minutes(10) + absl::Seconds(1));
    last = pause;
    RunAndEnd("c", Ending::kMayPass);
  }
  EXPECT_GT(last, absl::Minutes(7));
  UntilDue();
  RunAndEnd("c", Ending::kDone);
  EXPECT_FALSE(table_.StandingOf("c", Now()).breaker_open);
  EXPECT_LE(UntilDue(), absl::Seconds(10));
}

TEST_F(TimetableTest, AFastScheduleIsSlowedDownByFailuresToo) {
  for (const Ending ending : {Ending::kMayPass, Ending::kNeedsSomebody}) {
    table_.Remove("c");
    Set("c", "every 1 second");
    int starts = 0;
    for (const absl::Duration begin = clock_.Monotonic();
         clock_.Monotonic() - begin < absl::Minutes(5);) {
      if (!Due().empty()) {
        ++starts;
        RunAndEnd("c", ending);
      }
      clock_.Advance(absl::Milliseconds(250));
    }
    EXPECT_LE(starts, 7);
    EXPECT_GE(starts, 5);
  }
}

TEST_F(TimetableTest, AHoldElsewhereBetweenFailuresIsTriedAgain) {
  Set("c", "every 10 seconds");
  UntilDue();
  RunAndEnd("c", Ending::kMayPass);
  UntilDue();
  RunAndEnd("c", Ending::kHeldElsewhere);
  EXPECT_LE(UntilDue(), absl::Seconds(11));
}

TEST_F(TimetableTest, ResumeAndAChangeCloseTheBreaker) {
  for (const bool resume : {true, false}) {
    SCOPED_TRACE(resume);
    Set("c", "hourly", 1);
    table_.Remove("c");
    Set("c", "hourly", 1);
    for (int i = 0; i < Timetable::kBreakerOpens; ++i) {
      UntilDue();
      RunAndEnd("c", Ending::kNeedsSomebody);
    }
    ASSERT_TRUE(table_.StandingOf("c", Now()).breaker_open);
    clock_.Advance(absl::Seconds(1));
    ASSERT_TRUE(Due().empty());
    resume ? table_.Resume("c", Now()) : Set("c", "hourly", 2);
    EXPECT_FALSE(table_.StandingOf("c", Now()).breaker_open);
    EXPECT_EQ(Due().size(), 1u);
    table_.PutBack("c", Now());
  }
}

TEST_F(TimetableTest, SomebodyElsesHoldIsNoFailure) {
  Set("c", "every 10 seconds");
  for (int i = 0; i < 2 * Timetable::kBreakerOpens; ++i) {
    EXPECT_LE(UntilDue(), absl::Seconds(10));
    RunAndEnd("c", Ending::kHeldElsewhere);
  }
  EXPECT_EQ(table_.StandingOf("c", Now()).failures_in_a_row, 0u);
}

TEST_F(TimetableTest, RealtimeBeginsAtOnceAndAgainAfterGrowingPauses) {
  Set("c", "realtime");
  ASSERT_EQ(Due().size(), 1u);
  EXPECT_TRUE(continuous_);
  RunAndEnd("c", Ending::kDone);
  EXPECT_EQ(UntilDue(), absl::Seconds(5));
  absl::Duration last;
  for (int i = 0; i < 6; ++i) {
    RunAndEnd("c", Ending::kNothingCame);
    const absl::Duration pause = UntilDue();
    EXPECT_GE(pause, last);
    last = pause;
  }
  EXPECT_EQ(last, absl::Minutes(1));
  RunAndEnd("c", Ending::kNeedsSomebody);
  EXPECT_GE(UntilDue(), absl::Minutes(10));
}

TEST_F(TimetableTest, WhatRestsIsNotStartedAndNotMadeUpFor) {
  Set("c", "every 10 seconds");
  Timetable::Plan paused = PlanOf("every 10 seconds");
  paused.rests = true;
  table_.Set("c", paused, clock_.Now(), Now());
  clock_.Advance(absl::Hours(1));
  EXPECT_TRUE(Due().empty());
  EXPECT_EQ(table_.StandingOf("c", Now()).next_sync_at, absl::InfiniteFuture());
  Set("c", "every 10 seconds");
  EXPECT_TRUE(Due().empty());
  EXPECT_LE(UntilDue(), absl::Seconds(10));
}

TEST_F(TimetableTest, AManualConnectionIsNeverStartedButGoesOnWhereItWasCutOff) {
  Set("c", "manual");
  EXPECT_EQ(UntilDue(), absl::InfiniteDuration());
  table_.BeginSoon("c", Now());
  EXPECT_EQ(Due().size(), 1u);
  RunAndEnd("c", Ending::kMayPass);
  EXPECT_EQ(UntilDue(), absl::InfiniteDuration());
}

TEST_F(TimetableTest, AThousandConnectionsEachStartOncePerInterval) {
  for (int i = 0; i < 1000; ++i) Set(absl::StrCat("c", i), "every 10 seconds");
  std::multiset<std::string> started;
  for (int tick = 0; tick < 4 * 100; ++tick) {
    for (const std::string& name : Due()) {
      started.insert(name);
      RunAndEnd(name, Ending::kDone);
    }
    clock_.Advance(absl::Milliseconds(250));
  }
  EXPECT_EQ(started.size(), 10'000u);
  EXPECT_EQ(started.count("c17"), 10u);
}

}  // namespace
}  // namespace tidemark::test
