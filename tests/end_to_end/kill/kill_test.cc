// kill -9 of the server and of the plugin: nothing is lost, nothing doubled, nothing left behind.
// The oracle is the source's own fsynced log and an unkilled run, never our report.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/end_to_end/kill/kill_bench.h"

namespace tidemark::test {
namespace {

constexpr int kMaxLoops = 200;
constexpr int kWantInTransaction = 10;
constexpr int kWantBeforeAcknowledgement = 5;
constexpr int kWantAfterLast = 5;

// When a loop pulls the trigger.
enum class Moment { kRandom, kCheckpointSent, kCommitted, kLastAcknowledged };

struct Hits {
  int in_transaction = 0;          // rows of an open transaction were lost and came again
  int before_acknowledgement = 0;  // committed, but the source does not know yet
  int after_last = 0;              // everything committed and acknowledged
  int too_early = 0;               // before the first checkpoint was sent
  int ended = 0;                   // the run was faster

  bool Enough() const {
    return in_transaction >= kWantInTransaction &&
           before_acknowledgement >= kWantBeforeAcknowledgement && after_last >= kWantAfterLast;
  }
};

class KillTest : public testing::Test {
 protected:
  KillTest() : seed_(std::random_device()()), random_(seed_) { std::printf("seed %u\n", seed_); }

  // Waits for the moment, or until the run ends. Polls, because a killed run answers nothing.
  void AwaitMoment(KillBench& bench, TidemarkRun& run, Moment moment, int64_t start) {
    const absl::Time fire = absl::Now() + absl::Milliseconds(random_() % 400);
    const int64_t after =
        start + static_cast<int64_t>(random_() % 8) * bench.options().checkpoint_rows;
    while (run.Running()) {
      if (moment == Moment::kRandom) {
        if (absl::Now() >= fire) return;
      } else if (moment == Moment::kCommitted) {
        const int64_t committed = bench.probe().Committed().value_or(-1);
        if (committed > after) return;  // at once: the acknowledgement is on its way
        continue;
      }
      bench.ledger().Refresh();
      if (moment == Moment::kCheckpointSent && bench.ledger().sent() > after &&
          bench.ledger().sent() > bench.ledger().durable()) {
        return;
      }
      if (moment == Moment::kLastAcknowledged && bench.ledger().durable() == bench.options().rows) {
        return;
      }
      absl::SleepFor(absl::Microseconds(200));
    }
  }

  void Count(KillBench& bench, int64_t committed, bool killed, Hits* hits) {
    Ledger& ledger = bench.ledger();
    if (!killed)
      ++hits->ended;
    else if (ledger.sent() < 0)
      ++hits->too_early;
    else if (committed > ledger.durable())
      ++hits->before_acknowledgement;
    else if (committed == bench.options().rows)
      ++hits->after_last;
    else
      ++hits->in_transaction;
  }

  const uint32_t seed_;
  std::mt19937 random_;
};

// No process of a killed run lives on: the plugin's host sees its lifeline close.
void ExpectGone(const std::vector<pid_t>& children) {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  for (const pid_t child : children) {
    while (!Gone(child) && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(2));
    EXPECT_TRUE(Gone(child)) << "the plugin's host " << child << " outlived the server";
  }
}

TEST_F(KillTest, ServerKilledAtAnyMomentLosesAndDoublesNothing) {
  KillBench bench({.rows = 20'000, .checkpoint_rows = 500, .pause_us = 3000});
  Hits hits;
  int loop = 0;
  for (; loop < kMaxLoops && !hits.Enough(); ++loop) {
    if (bench.probe().Committed().value_or(0) == bench.options().rows) bench.StartOver();
    const int64_t start = bench.probe().Committed().value_or(0);
    const auto moment = static_cast<Moment>(loop % 4);
    auto run = bench.Run();
    AwaitMoment(bench, *run, moment, start);
    const std::vector<pid_t> children = run->Children();
    run->Kill(SIGKILL);
    const bool killed = run->Wait().killed;
    ExpectGone(children);
    bench.ledger().Refresh();
    const int64_t committed = bench.probe().Committed().value_or(0);
    Count(bench, committed, killed, &hits);
    // Invariant I2: the source is never told more than is durable.
    ASSERT_LE(bench.ledger().durable(), committed) << "seed " << seed_ << " loop " << loop;
    ASSERT_GE(committed, start) << "seed " << seed_ << " loop " << loop;
    ASSERT_EQ(bench.Verify(committed), "")
        << "seed " << seed_ << " loop " << loop << ", log " << bench.log();
  }
  std::printf(
      "%d kills: %d inside a transaction, %d between commit and acknowledgement, "
      "%d after the last, %d before the first checkpoint, %d too late\n",
      loop, hits.in_transaction, hits.before_acknowledgement, hits.after_last, hits.too_early,
      hits.ended);
  EXPECT_GE(hits.in_transaction, kWantInTransaction);
  EXPECT_GE(hits.before_acknowledgement, kWantBeforeAcknowledgement);
  EXPECT_GE(hits.after_last, kWantAfterLast);
  auto last = bench.Run();
  EXPECT_EQ(last->Wait().code, 0);
  EXPECT_EQ(bench.Verify(bench.options().rows), "");
}

TEST_F(KillTest, PluginKilledOnceIsStartedAgainFromTheLastDurableState) {
  for (int loop = 0; loop < 5; ++loop) {
    KillBench bench({.rows = 20'000, .checkpoint_rows = 500, .pause_us = 10'000});
    auto run = bench.Run();
    const int64_t after = static_cast<int64_t>(random_() % 10'000);
    while (run->Running() && bench.probe().Committed().value_or(-1) < after) {
    }
    const std::vector<pid_t> children = run->Children();
    ASSERT_FALSE(children.empty()) << "seed " << seed_;
    for (const pid_t child : children) kill(child, SIGKILL);
    const RunExit exit = run->Wait();
    EXPECT_EQ(exit.code, 0) << "seed " << seed_ << ", log " << bench.log();
    ExpectGone(children);
    ASSERT_EQ(bench.Verify(bench.options().rows), "") << "seed " << seed_;
  }
}

TEST_F(KillTest, PluginKilledAgainEndsTheSyncAtTheLastCommitAndTheNextRunGoesOn) {
  KillBench bench({.rows = 20'000, .checkpoint_rows = 500, .pause_us = 10'000});
  auto run = bench.Run();
  std::vector<pid_t> killed;
  while (run->Running()) {
    if (bench.probe().Committed().value_or(-1) < 500) continue;
    for (const pid_t child : run->Children()) {
      kill(child, SIGKILL);
      killed.push_back(child);
    }
    absl::SleepFor(absl::Milliseconds(1));
  }
  EXPECT_EQ(run->Wait().code, 1) << "log " << bench.log();
  ExpectGone(killed);
  const int64_t committed = bench.probe().Committed().value_or(0);
  EXPECT_LT(committed, bench.options().rows);
  EXPECT_EQ(bench.Verify(committed), "");
  auto next = bench.Run();
  EXPECT_EQ(next->Wait().code, 0) << "log " << bench.log();
  EXPECT_EQ(bench.Verify(bench.options().rows), "");
}

}  // namespace
}  // namespace tidemark::test
