// Suite M1: the n-th allocation fails, for every n, in the decoder of rows, in the conforming of
// values, in the writing of a commit group and over a whole sync. Nothing crashes, nothing leaks,
// nothing is half there. Units let std::bad_alloc through and can be destroyed; it ends in RunSync:
// the sync fails, the process goes on, and the next sync ends as the source.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <new>

#include "absl/strings/str_cat.h"
#include "pipeline/conform.h"
#include "tests/faults/fault_suite.h"
#include "tests/simulation/failing_memory.h"
#include "tests/simulation/steady_sync.h"
#include "wire/row_codec.h"

namespace tidemark {
namespace {

// What std::bad_alloc ended; false: `work` ran to its end.
template <typename Work>
bool RanOut(const Work& work) {
  try {
    work();
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

class AllocationFailureTest : public ::testing::Test {
 protected:
  // `work` under a failure of each allocation; it must leave nothing behind. `suite` counts.
  void EachOf(const char* unit, const std::function<void()>& work, test::FaultSuite& suite) {
    work();  // what is made once and kept
    for (const bool stays : {false, true}) {
      for (uint64_t n = 1;; ++n) {
        SCOPED_TRACE(absl::StrCat(unit, ", allocation ", n, stays ? " and later" : ""));
        const int64_t before = LivePieces();
        ArmMemory(n, stays);
        const bool ran_out = RanOut(work);
        const bool failed = DisarmMemory();
        ASSERT_EQ(LivePieces(), before) << "something leaks";
        if (!failed) break;
        ++suite.tried;
        suite.hit += ran_out ? 1 : 0;
        EXPECT_TRUE(ran_out);
      }
    }
  }
};

TEST_F(AllocationFailureTest, UnitsLetItThroughAndLeaveNothingBehind) {
  test::FaultSuite suite("M1", 1);
  const std::vector<Value> values = {Value::Int64(1), Value::String("text of some length, or more"),
                                     Value::Double(1.5)};
  std::string row;
  for (const Value& value : values) EncodeValue(value, &row);
  std::string meta;
  EncodeMeta(std::vector<RowMeta>(1, RowMeta{1, 2, 3}), &meta);
  EachOf(
      "decoder",
      [&] {
        std::vector<Value> decoded;
        std::vector<RowMeta> stamps;
        EXPECT_TRUE(DecodeRows(row, 1, 3, &decoded).ok());
        EXPECT_TRUE(DecodeMeta(meta, 1, &stamps).ok());
        EXPECT_FALSE(DecodeRows(row, 2, 3, &decoded).ok());
      },
      suite);
  EachOf(
      "conforming",
      [&] {
        const TableSchema table = Table("t", {{"id", DataType::kLong, true},
                                              {"v"},
                                              {"d", DataType::kDecimal},
                                              {"j", DataType::kJson},
                                              {"at", DataType::kUtcDatetime}});
        auto target = TableTarget::Create(table, TableRule(), Naming::kSource, {}, nullptr);
        ASSERT_TRUE(target.ok()) << target.status();
        Conformer conformer({}, true);
        conformer.SetTarget(*target);
        Rows rows(0, 5);
        rows.Upsert({1, 1.5, "2.50", "{\"a\": [1, 2]}", "2026-01-01T00:00:00Z"});
        rows.Upsert({2, "a text that needs memory", 7, "[]", "no time"});
        rows.Update({4, Unchanged(), 1, nullptr, nullptr}).Before({3});
        ChangeBatch batch = std::move(rows).Take();
        for (const TypeChange& change : conformer.Infer(batch)) {
          target->SetType(change.column, change.type);
        }
        conformer.SetTarget(*target);
        std::vector<BadRow> bad;
        std::vector<uint32_t> truncates;
        conformer.Conform(&batch, &bad, &truncates);
        EXPECT_EQ(bad.size(), 1U);
      },
      suite);
  EXPECT_TRUE(suite.Clean());
}

// A sync that is short of memory at one moment, or from one moment on.
class StarvedSync {
 public:
  explicit StarvedSync(test::FaultSuite& suite)
      : suite_(suite), source_(7), steady_(7, source_, warehouse_) {
    source_.Grow(24);
  }
  // Allocations of the sync; 0: it ran to its end before the n-th.
  uint64_t Run(uint64_t n, bool stays) {
    SyncOutcome outcome;
    bool failed = false;
    uint64_t allocations = 0;
    steady_.before_run = [=] { ArmMemory(n, stays); };
    steady_.after_run = [&] {
      allocations = Allocations();
      failed = DisarmMemory();
    };
    const bool escaped = RanOut([&] { outcome = steady_.Run(); });
    DisarmMemory();
    EXPECT_FALSE(escaped) << "RunSync never throws";
    ++suite_.tried;
    suite_.hit += failed ? 1 : 0;
    const bool completed = outcome.status == SyncStatus::kCompleted;
    // What fails behind the last commit, as the release of the connection, costs nothing: Check.
    EXPECT_TRUE(failed || completed) << outcome.error;
    if (!completed) {
      EXPECT_EQ(outcome.error.code(), absl::StatusCode::kResourceExhausted) << outcome.error;
    }
    Check(completed);
    return allocations;
  }

 private:
  void Check(bool completed) {
    const uint64_t position = warehouse_.Position(steady_.connection(), "");
    if (position < steady_.acknowledged()) ++suite_.lost;
    EXPECT_GE(position, steady_.acknowledged());
    if (completed && position != source_.database().head()) ++suite_.silent;
    EXPECT_TRUE(!completed || position == source_.database().head());
    Count(steady_.Compare(position));
    SteadySync next(8, source_, warehouse_);
    next.durable().Preload("", position);
    const SyncOutcome outcome = next.Run();
    EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
    Count(next.Compare(source_.database().head()));
    EXPECT_EQ(warehouse_.CheckState(next.connection()), "");
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

TEST_F(AllocationFailureTest, ASyncWithoutMemoryFailsAndTheProcessGoesOn) {
  test::FaultSuite suite("M1-sync", 200);
  const uint64_t all = 2 * StarvedSync(suite).Run(0, false);
  const uint64_t step = std::max<uint64_t>(1, all / std::max<uint64_t>(1, suite.cases()));
  for (uint64_t i = suite.seed() % step; i < all; i += step) {
    SCOPED_TRACE(absl::StrCat("allocation ", i / 2 + 1, i % 2 == 0 ? "" : " and later"));
    const int64_t before = LivePieces();
    StarvedSync(suite).Run(i / 2 + 1, i % 2 == 1);
    EXPECT_EQ(LivePieces(), before) << "something leaks";
    if (HasFailure()) return;
  }
  suite.want = suite.tried / 2;
  EXPECT_TRUE(suite.Clean());
}

}  // namespace
}  // namespace tidemark
