// Suites D2 and D3: every operation on the files of a destination fails, once or for good, one
// after the other, over a whole sync with its start and its end; and some at random. Nothing that
// was acknowledged is lost, nothing is there twice, and the next sync ends as the source.
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "tests/destination/fault_vfs.h"
#include "tests/faults/fault_suite.h"
#include "tests/simulation/steady_sync.h"

namespace tidemark {
namespace {

constexpr uint64_t kLogSeed = 11;  // of the source: all kinds of changes in few
constexpr uint64_t kGrowth = 16;   // before each sync

// One sync under a plan, into a fresh file or one that an earlier sync made.
class FaultySync {
 public:
  FaultySync(bool fresh, test::FaultSuite& suite)
      : suite_(suite), source_(kLogSeed), steady_(kLogSeed, source_, warehouse_) {
    source_.Grow(kGrowth);
    if (fresh) return;
    EXPECT_EQ(steady_.Run().status, SyncStatus::kCompleted);
    source_.Grow(kGrowth);
  }

  void Run(const FaultPlan& plan) {
    FaultVfs vfs(plan);
    uint64_t blind = 0;
    uint64_t last = steady_.acknowledged();
    steady_.on_acknowledged = [&](uint64_t position) {
      // What was durable before is acknowledged again by the next attempt.
      blind += vfs.unsynced() && position > last ? 1 : 0;
      last = position;
    };
    const SyncOutcome outcome = steady_.Run();
    steady_.on_acknowledged = nullptr;
    vfs.Replan(FaultPlan());
    SCOPED_TRACE(vfs.failed());
    ++suite_.tried;
    suite_.hit += vfs.fired() ? 1 : 0;
    suite_.silent += blind;
    EXPECT_EQ(blind, 0U) << "acknowledged although a sync of a file failed";
    const bool completed = outcome.status == SyncStatus::kCompleted;
    EXPECT_TRUE(completed || !outcome.error.ok() || !outcome.warnings.empty());
    Check(completed);
  }

 private:
  void Check(bool completed) {
    const uint64_t position = warehouse_.Position(steady_.connection(), "");
    if (position < steady_.acknowledged()) ++suite_.lost;
    EXPECT_GE(position, steady_.acknowledged());
    if (completed && position != source_.database().head()) ++suite_.silent;
    EXPECT_TRUE(!completed || position == source_.database().head()) << position;
    Count(steady_.Compare(position));
    EXPECT_EQ(warehouse_.Query("PRAGMA integrity_check")[0][0], "ok");
    // What is committed and was not acknowledged was not noted either.
    SteadySync next(kLogSeed + 1, source_, warehouse_);
    next.durable().Preload("", position);
    const SyncOutcome outcome = next.Run();
    if (outcome.status != SyncStatus::kCompleted) ++suite_.silent;
    EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
    Count(next.Compare(source_.database().head()));
    EXPECT_EQ(warehouse_.CheckState(next.connection()), "");
    EXPECT_TRUE(source_.database().violations.empty()) << source_.database().violations[0];
  }
  void Count(const Difference& difference) {
    suite_.lost += difference.lost;
    suite_.duplicated += difference.duplicated;
    suite_.stale += difference.stale;
    EXPECT_EQ(difference.sum(), 0U) << difference.first;
  }

  test::FaultSuite& suite_;
  Warehouse warehouse_;
  SteadySource source_;
  SteadySync steady_;
};

struct Mode {
  const char* name;
  int code;
  bool stays;
  bool fresh;
};
constexpr Mode kModes[] = {
    {"full once, fresh file", SQLITE_FULL, false, true},
    {"full for good, fresh file", SQLITE_FULL, true, true},
    {"broken once, fresh file", SQLITE_IOERR_WRITE, false, true},
    {"broken for good, fresh file", SQLITE_IOERR_WRITE, true, true},
    {"full once", SQLITE_FULL, false, false},
    {"full for good", SQLITE_FULL, true, false},
    {"broken once", SQLITE_IOERR_WRITE, false, false},
    {"broken for good", SQLITE_IOERR_WRITE, true, false},
};

// How many operations a sync without faults has.
int Operations(bool fresh) {
  Warehouse warehouse;
  SteadySource source(kLogSeed);
  SteadySync steady(kLogSeed, source, warehouse);
  source.Grow(kGrowth);
  if (!fresh) {
    EXPECT_EQ(steady.Run().status, SyncStatus::kCompleted);
    source.Grow(kGrowth);
  }
  FaultPlan plan;
  plan.all = true;
  FaultVfs vfs(plan);
  EXPECT_EQ(steady.Run().status, SyncStatus::kCompleted);
  return vfs.operations();
}

// With fewer cases than operations, every so many-th of them from one that the seed chooses.
TEST(IoErrorTest, NothingIsLostWhicheverOperationFails) {
  test::FaultSuite suite("D3", 480);
  const uint64_t operations[] = {static_cast<uint64_t>(Operations(false)),
                                 static_cast<uint64_t>(Operations(true))};
  const uint64_t all = 4 * (operations[0] + operations[1]);
  const uint64_t step = std::max<uint64_t>(1, all / std::max<uint64_t>(1, suite.cases()));
  uint64_t next = suite.seed() % step;
  for (const Mode& mode : kModes) {
    for (; next < operations[mode.fresh ? 1 : 0]; next += step) {
      SCOPED_TRACE(absl::StrCat(mode.name, ", operation ", next + 1));
      FaultPlan plan;
      plan.fail_at = static_cast<int>(next + 1);
      plan.code = mode.code;
      plan.stays = mode.stays;
      plan.all = true;
      FaultySync(mode.fresh, suite).Run(plan);
      if (::testing::Test::HasFailure()) return;
    }
    next -= std::min(next, operations[mode.fresh ? 1 : 0]);
  }
  suite.want = suite.tried / 2;
  EXPECT_TRUE(suite.Clean());
}

TEST(IoErrorTest, NothingIsLostWhateverFailsAtRandom) {
  test::FaultSuite suite("D2", 60);
  suite.want = suite.cases() / 4;
  for (uint64_t seed = suite.seed(); suite.tried < suite.cases(); ++seed) {
    SCOPED_TRACE(absl::StrCat("repeat with TIDEMARK_FAULT_SEED=", seed, " TIDEMARK_FAULT_CASES=1 ",
                              "build/release/tests/io_error_test --gtest_filter='*AtRandom'"));
    FaultPlan plan;
    plan.code = seed % 2 == 0 ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    plan.all = seed % 3 != 0;
    plan.weight = 5;
    plan.seed = seed;
    FaultySync(seed % 5 == 0, suite).Run(plan);
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_TRUE(suite.Clean());
}

}  // namespace
}  // namespace tidemark
