// Suite P1: the power goes at any moment of some syncs, and what no sync of the disk covered is
// there, half there, or not. The engine's own start opens what is left: whole, with everything that
// was acknowledged, data and state of one moment; and the next sync ends as the source.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "tests/destination/recording_disk.h"
#include "tests/faults/fault_suite.h"
#include "tests/simulation/steady_sync.h"

namespace tidemark {
namespace {

constexpr uint64_t kImages = 25;  // of one recording
constexpr int kSyncs = 3;
constexpr uint64_t kGrowth = 40;  // of the source before each

// What one suite of images came to.
struct Losses {
  uint64_t images = 0;
  uint64_t cut_short = 0;  // images that something was missing from
  Difference difference;
  uint64_t broken = 0;     // images that did not open, or did not go on
  uint64_t forgotten = 0;  // images without something that was acknowledged
  std::string first;
  void Note(std::string text) {
    if (first.empty()) first = std::move(text);
  }
};

class PowerLoss {
 public:
  PowerLoss(uint64_t seed, RecordingDisk::Options options, Losses& losses)
      : seed_(seed), dice_(seed + 1), losses_(losses) {
    Record(std::move(options));
  }

  void Images(uint64_t count) {
    for (uint64_t i = 0; i < count && losses_.first.empty(); ++i) Image();
  }

 private:
  void Record(RecordingDisk::Options options) {
    Warehouse warehouse;
    SteadySource source(seed_);
    SteadySync steady(seed_, source, warehouse);
    RecordingDisk disk(std::move(options));
    steady.on_acknowledged = [&](uint64_t position) { disk.Mark(static_cast<int64_t>(position)); };
    for (int sync = 0; sync < kSyncs; ++sync) {
      source.Grow(kGrowth);
      const SyncOutcome outcome = steady.Run();
      ASSERT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
    }
    ASSERT_TRUE(source.database().violations.empty()) << source.database().violations[0];
    events_ = disk.events();
  }

  void Image() {
    const size_t end = 1 + dice_.Pick(events_.size());
    const auto unsynced = static_cast<Unsynced>(dice_.Pick(4));
    const DiskImage image = ImageAfter(events_, end, unsynced, dice_);
    uint64_t acknowledged = 0;
    for (size_t i = 0; i < end; ++i) {
      if (events_[i].kind == DiskEvent::kMark) acknowledged = static_cast<uint64_t>(events_[i].at);
    }
    ++losses_.images;
    // Everything written, and everything of it there, would be no loss of power.
    losses_.cut_short += image != ImageAfter(events_, end, Unsynced::kAll, dice_) ? 1 : 0;
    Warehouse warehouse;
    for (const auto& [file, bytes] : image) {
      std::ofstream(warehouse.folder() + "/" + file, std::ios::binary) << bytes;
    }
    const std::string where = absl::StrCat("event ", end, " of ", events_.size(), ", unsynced ",
                                           static_cast<int>(unsynced));
    Start(warehouse, acknowledged, where);
  }

  void Start(Warehouse& warehouse, uint64_t acknowledged, const std::string& where) {
    SteadySource source(seed_);
    source.Grow(kSyncs * kGrowth);
    SteadySync steady(seed_ + 2, source, warehouse);
    uint64_t position = 0;
    if (!Acquire(warehouse, steady.connection(), &position, where)) return;
    if (position < acknowledged) {
      ++losses_.forgotten;
      losses_.Note(
          absl::StrCat(where, ": acknowledged at ", acknowledged, ", state at ", position));
      return;
    }
    Compare(steady, position, where);
    steady.durable().Preload("", position);
    const SyncOutcome outcome = steady.Run();
    if (outcome.status != SyncStatus::kCompleted || !source.database().violations.empty()) {
      ++losses_.broken;
      losses_.Note(absl::StrCat(where, ": the next sync: ", outcome.error.ToString()));
      return;
    }
    Compare(steady, source.database().head(), where);
  }

  // Our real start: L0 and the take-over.
  bool Acquire(Warehouse& warehouse, const std::string& connection, uint64_t* position,
               const std::string& where) {
    FakeClock clock;
    absl::Status status;
    std::string check;
    if (auto opened = warehouse.Open(&clock); !opened.ok()) {
      status = opened.status();
    } else if (auto acquired = (*opened)->Acquire({connection, "a test", {}, {}}); !acquired.ok()) {
      status = acquired.status();
    } else {
      for (const StateEntry& state : acquired->states) {
        *position = DurableBook::PositionOf(state.body);
      }
      check = warehouse.Query("PRAGMA integrity_check")[0][0];
    }
    if (status.ok() && check == "ok") return true;
    ++losses_.broken;
    losses_.Note(absl::StrCat(where, ": ", status.ToString(), " ", check));
    return false;
  }

  void Compare(SteadySync& steady, uint64_t stamp, const std::string& where) {
    const Difference found = steady.Compare(stamp);
    losses_.difference.lost += found.lost;
    losses_.difference.duplicated += found.duplicated;
    losses_.difference.stale += found.stale;
    if (found.sum() > 0) losses_.Note(absl::StrCat(where, ", at ", stamp, ": ", found.first));
  }

  const uint64_t seed_;
  Dice dice_;
  Losses& losses_;
  std::vector<DiskEvent> events_;
};

// The engine's log is copied into the database at the end only; smaller ones now and then on the
// way.
RecordingDisk::Options Shipped(uint64_t seed) {
  RecordingDisk::Options options;
  if (seed % 2 == 0) options.checkpoint_pages = "12";
  return options;
}

TEST(PowerLossTest, NothingAcknowledgedIsLost) {
  test::FaultSuite suite("P1", 200);
  suite.want = suite.cases() / 2;
  for (uint64_t seed = suite.seed(); suite.tried < suite.cases(); ++seed) {
    Losses losses;
    PowerLoss(seed, Shipped(seed), losses).Images(std::min(kImages, suite.cases() - suite.tried));
    suite.tried += losses.images;
    suite.hit += losses.cut_short;
    suite.lost += losses.difference.lost + losses.forgotten;
    suite.duplicated += losses.difference.duplicated;
    suite.stale += losses.difference.stale;
    suite.silent += losses.broken;
    EXPECT_EQ(losses.first, "") << "repeat with TIDEMARK_FAULT_SEED=" << seed
                                << " TIDEMARK_FAULT_CASES=" << kImages
                                << " build/release/tests/power_loss_test";
    if (!losses.first.empty() || losses.images == 0) break;
  }
  EXPECT_TRUE(suite.Clean());
}

// The suite sees a weaker setting: with synchronous=NORMAL a commit that was acknowledged may be
// gone, and nothing else may be.
TEST(PowerLossTest, WithoutFullSynchronousCommitsAreLost) {
  uint64_t forgotten = 0;
  for (uint64_t seed = 1; seed <= 200 && forgotten < 3; ++seed) {
    RecordingDisk::Options options = Shipped(seed);
    options.synchronous = "1";
    Losses losses;
    PowerLoss(seed, options, losses).Images(kImages);
    EXPECT_EQ(losses.difference.sum() + losses.broken, 0U) << losses.first;
    forgotten += losses.forgotten;
  }
  EXPECT_GE(forgotten, 3U);
}

}  // namespace
}  // namespace tidemark
