// Suite O1: histories of a source whose changes come twice, late, again and in another order, as
// far as a source may do that: the order of each key is kept, except for rows that a cursor reads
// again. Whatever the order, the destination ends as the model. Each case is one history; many are
// interleaved in one database.
//
// What comes again must be able to: replay.h.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/faults/fault_suite.h"
#include "tests/pipeline/scripted_source.h"
#include "tests/simulation/change_maker.h"
#include "tests/simulation/replay.h"
#include "tests/simulation/warehouse.h"

namespace tidemark {
namespace {

constexpr uint64_t kHistories = 50;  // of one database
constexpr uint64_t kKeys = 6;        // of one history
constexpr int kSyncs = 3;

// A change as it arrives.
struct Arrival {
  SourceChange change;
  std::set<std::string> keys;
  int64_t history = 0;
  bool reread = false;  // an older value that was read again: no change
};

// True when `a` and `b` must not change places.
bool Ordered(const Arrival& a, const Arrival& b) {
  if (a.change.table != b.change.table) return false;
  if (a.change.kind == ChangeKind::kTruncate || b.change.kind == ChangeKind::kTruncate) return true;
  return std::any_of(a.keys.begin(), a.keys.end(),
                     [&](const std::string& key) { return b.keys.count(key) != 0; });
}

// The histories of one database, merged, and as they arrive.
class Arrivals {
 public:
  Arrivals(uint64_t seed, ReferenceModel& model) : dice_(seed), model_(model) {
    stamps_ = dice_.Chance(500);
    Make();
    if (dice_.Chance(800)) Reorder();
    if (dice_.Chance(800)) Redeliver();
    if (dice_.Chance(800)) Duplicate();
    if (dice_.Chance(800)) Reread();
  }
  const std::vector<Arrival>& all() const { return all_; }
  Dice& dice() { return dice_; }
  uint64_t mutations() const { return mutations_; }
  // Whether the source says which place in its order a change has.
  bool stamps() const { return stamps_; }

 private:
  void Make() {
    ChangeHabits habits;
    habits.truncates = dice_.Pick(3) == 0 ? 2 : 0;
    habits.key_changes = dice_.Pick(200);
    habits.updates = dice_.Pick(400);
    habits.deletes = dice_.Pick(300);
    habits.texts = dice_.Pick(2) * 50;
    ReferenceModel source(model_.tables());
    ChangeMaker maker(dice_, source, habits);
    const uint64_t changes = kHistories * (4 + dice_.Pick(12));
    for (uint64_t i = 0; i < changes; ++i) {
      const int64_t history = dice_.PickInt(kHistories);
      const uint32_t table = static_cast<uint32_t>(history) % kSimulatedTables;
      Arrival& arrival = all_.emplace_back();
      arrival.history = history;
      arrival.change = maker.Next(table, 100 * history, kKeys);
      for (std::string& key : model_.KeysOf(arrival.change)) arrival.keys.insert(std::move(key));
    }
  }

  // Moves changes ahead of earlier ones that they do not touch.
  void Reorder() {
    const uint64_t window = 1 + dice_.Pick(40);
    for (size_t i = 1; i < all_.size(); ++i) {
      if (!dice_.Chance(300)) continue;
      size_t to = i;
      const size_t far = dice_.Pick(window) + 1;
      while (to > 0 && i - to < far && !Ordered(all_[to - 1], all_[i])) --to;
      mutations_ += to != i ? 1 : 0;
      const auto at = [this](size_t n) { return all_.begin() + static_cast<std::ptrdiff_t>(n); };
      std::rotate(at(to), at(i), at(i + 1));
    }
  }

  // What of the changes begin..end-1 may come once more behind them: all of a history, or nothing
  // of it; with a truncate in it, all of a table or nothing.
  std::vector<Arrival> Again(size_t begin, size_t end) const {
    std::map<int64_t, std::vector<const SourceChange*>> pieces;
    std::set<uint32_t> truncated;
    for (size_t i = begin; i < end; ++i) {
      pieces[all_[i].history].push_back(&all_[i].change);
      if (all_[i].change.kind == ChangeKind::kTruncate) truncated.insert(all_[i].change.table);
    }
    std::map<int64_t, std::vector<const SourceChange*>> following;
    for (size_t i = end; i < all_.size(); ++i) {
      following[all_[i].history].push_back(&all_[i].change);
    }
    std::set<int64_t> refused;
    std::set<uint32_t> kept;  // tables that cannot come again as a whole
    for (const auto& [history, piece] : pieces) {
      if (MayComeAgain(model_, piece, following[history], stamps_)) continue;
      refused.insert(history);
      if (truncated.count(piece[0]->table) != 0) kept.insert(piece[0]->table);
    }
    std::vector<Arrival> again;
    for (size_t i = begin; i < end; ++i) {
      if (refused.count(all_[i].history) != 0 || kept.count(all_[i].change.table) != 0) continue;
      again.push_back(all_[i]);
    }
    return again;
  }

  // The source goes back and reads a piece of its log again.
  void Redeliver() {
    const uint64_t longest = dice_.Pick(2) == 0 ? 60 : all_.size();
    std::vector<Arrival> arrivals;
    for (size_t from = 0, end = 0; from < all_.size(); from = end) {
      end = std::min<size_t>(all_.size(), from + 1 + dice_.Pick(longest));
      arrivals.insert(arrivals.end(), all_.begin() + static_cast<std::ptrdiff_t>(from),
                      all_.begin() + static_cast<std::ptrdiff_t>(end));
      if (!dice_.Chance(400)) continue;
      const std::vector<Arrival> again = Again(from, end);
      mutations_ += again.empty() ? 0 : 1;
      arrivals.insert(arrivals.end(), again.begin(), again.end());
    }
    all_ = std::move(arrivals);
  }

  // Single changes twice, the second time before anything else happens to their keys.
  void Duplicate() {
    const uint64_t weight = dice_.Pick(500);
    for (size_t i = 0; i < all_.size(); ++i) {
      if (!dice_.Chance(weight)) continue;
      size_t to = i + 1;
      const size_t far = dice_.Pick(30);
      while (to < all_.size() && to - i <= far && !Ordered(all_[i], all_[to])) ++to;
      const Arrival copy = all_[i];
      all_.insert(all_.begin() + static_cast<std::ptrdiff_t>(to), copy);
      ++mutations_;
      ++i;
    }
  }

  // A lagging replica: older values of rows that live, where the stale guard knows them.
  void Reread() {
    std::map<std::string, std::vector<Cells>> values;  // of living rows, oldest first
    std::vector<Arrival> again;
    for (const Arrival& arrival : all_) {
      again.push_back(arrival);
      const SourceChange& change = arrival.change;
      if (change.table != kSeen) continue;
      if (change.kind == ChangeKind::kTruncate) values.clear();
      if (change.kind == ChangeKind::kDelete || change.before.has_value()) {
        for (const std::string& key : arrival.keys) values.erase(key);
      }
      if (change.kind != ChangeKind::kUpsert) continue;
      std::vector<Cells>& known = values[model_.KeyOf(kSeen, change.row)];
      // Only what is newer than all before it: changes may have come twice.
      if (!known.empty() && known.back()[1].number >= change.row[1].number) continue;
      known.push_back(change.row);
      if (known.size() < 2 || !dice_.Chance(500)) continue;
      Arrival& old = again.emplace_back(arrival);
      old.change.row = known[dice_.Pick(known.size() - 1)];
      old.reread = true;
      ++mutations_;
    }
    all_ = std::move(again);
  }

  Dice dice_;
  ReferenceModel& model_;
  std::vector<Arrival> all_;
  bool stamps_ = false;
  uint64_t mutations_ = 0;
};

class SilentObserver final : public SyncObserver {
 public:
  void OnLog(int, absl::string_view, absl::string_view) override {}
};

// One database: its arrivals through the pipeline, in some syncs with failures on the way.
class Group {
 public:
  Group(uint64_t seed, test::FaultSuite& suite)
      : suite_(suite), model_(SimulatedTables()), arrivals_(seed, model_), dice_(arrivals_.dice()) {
    options_.connection = "order";
    options_.holder = "a test";
    options_.tables = SimulatedRules();
    options_.retry.max_attempts = 1000;
    options_.group.rows = 1 + dice_.Pick(400);
    options_.group.when_idle = dice_.Pick(2) != 0;
  }

  void Run() {
    const size_t all = arrivals_.all().size();
    for (int sync = 1; sync <= kSyncs; ++sync) {
      end_ = all * static_cast<size_t>(sync) / kSyncs;
      RunOne();
      for (; fed_ < end_; ++fed_) {
        const Arrival& arrival = arrivals_.all()[fed_];
        if (!arrival.reread) model_.Add(arrival.change);
      }
    }
    Compare();
  }

 private:
  Moves Attempt(const UpdateStart& start) {
    size_t position = 0;
    for (const StateEntry& state : start.states) {
      EXPECT_TRUE(absl::SimpleAtoi(state.body, &position));
    }
    Moves moves;
    uint64_t checkpoint = 0;
    const size_t fails_at = dice_.Chance(300) ? position + dice_.Pick(200) : end_ + 1;
    while (position < end_) {
      if (position >= fails_at) {
        moves.push_back(Done(absl::UnavailableError("the source is busy")));
        return moves;
      }
      position = AddBatch(position, &moves);
      const uint64_t roll = dice_.Pick(200);
      if (roll < 30 || position == end_) {
        moves.push_back(Mark(++checkpoint, absl::StrCat(position)));
      } else if (roll < 33) {
        // Late: up to a week.
        const auto late = absl::Seconds(dice_.PickInt(7 * 86'400) + 1);
        moves.push_back(Do([this, late] { clock_.Advance(late); }));
      } else if (roll < 36) {
        moves.push_back(WaitFor(absl::Milliseconds(1)));
      }
    }
    moves.push_back(Done());
    return moves;
  }

  size_t AddBatch(size_t position, Moves* moves) {
    const auto& all = arrivals_.all();
    const uint32_t table = all[position].change.table;
    Rows rows(table, static_cast<uint32_t>(model_.tables()[table].columns.size()));
    while (position < end_ && all[position].change.table == table) {
      const SourceChange& change = all[position++].change;
      rows.Add(change.kind, change.row);
      if (change.before) rows.Before(*change.before);
      if (arrivals_.stamps()) rows.Stamp(change.stamp);
    }
    moves->push_back(Say(std::move(rows)));
    return position;
  }

  void RunOne() {
    Play play;
    play.tables = model_.tables();
    play.script = [this](const UpdateStart& start) { return Attempt(start); };
    auto opened = warehouse_.Open(&clock_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    SilentObserver observer;
    SyncParts parts;
    parts.source = [&]() -> absl::StatusOr<std::unique_ptr<ChangeSource>> {
      return std::unique_ptr<ChangeSource>(std::make_unique<ScriptedSource>(play, clock_));
    };
    parts.destination = opened->get();
    parts.clock = &clock_;
    parts.observer = &observer;
    parts.random = &dice_.bits();
    const SyncOutcome outcome = RunSync(options_, parts);
    // Invariant I5.
    for (const TableOutcome& table : outcome.tables) {
      if (table.counts.Sum() != table.received) ++suite_.duplicated;
      EXPECT_EQ(table.counts.Sum(), table.received) << table.table;
    }
    EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  }

  void Compare() {
    for (uint32_t table = 0; table < kSimulatedTables; ++table) {
      const Difference difference =
          model_.Compare(table, warehouse_.Rows(model_.tables()[table]), ReferenceModel::kNewest,
                         ReferenceModel::kNewest);
      suite_.lost += difference.lost;
      suite_.duplicated += difference.duplicated;
      suite_.stale += difference.stale;
      EXPECT_EQ(difference.sum(), 0U) << difference.first;
    }
    EXPECT_EQ(warehouse_.CheckState(options_.connection), "");
    suite_.tried += kHistories;
    if (arrivals_.mutations() > 0) suite_.hit += kHistories;
  }

  test::FaultSuite& suite_;
  ReferenceModel model_;  // fed with what arrives
  Arrivals arrivals_;
  Dice& dice_;
  FakeClock clock_;
  Warehouse warehouse_;
  SyncOptions options_;
  size_t end_ = 0;  // of the sync at hand
  size_t fed_ = 0;
};

TEST(OrderTest, WhateverTheOrderTheDestinationEndsAsTheModel) {
  test::FaultSuite suite("O1", 10'000);
  suite.want = suite.cases() / 2;
  for (uint64_t seed = suite.seed(); suite.tried < suite.cases(); ++seed) {
    SCOPED_TRACE(absl::StrCat("repeat with TIDEMARK_FAULT_SEED=", seed, " TIDEMARK_FAULT_CASES=",
                              kHistories, " build/release/tests/order_test"));
    Group(seed, suite).Run();
    if (::testing::Test::HasFailure()) break;
  }
  EXPECT_TRUE(suite.Clean());
}

}  // namespace
}  // namespace tidemark
