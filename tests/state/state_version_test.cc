#include "state/state_version.h"

#include <functional>
#include <string>
#include <vector>

#include "core/digest.h"
#include "gtest/gtest.h"
#include "state/chain_verifier.h"

namespace tidemark {
namespace {

// `count` versions of one entry, well chained.
std::vector<StateVersion> History(int count) {
  std::vector<StateVersion> versions;
  std::string chain;
  for (int i = 1; i <= count; ++i) {
    StateVersion version;
    version.connection = std::string("c");
    version.entry = std::string("users");
    version.version = i;
    version.parent = i - 1;
    version.epoch = 3;
    version.format = 1;
    version.body = std::string(static_cast<size_t>(i), 'b');
    version.body_hash = Blake2b256(version.body);
    version.prev_chain = chain;
    version.sync_id = std::string("s");
    version.group_id = std::string("g");
    version.counts.inserted = static_cast<uint64_t>(i);
    version.cursor = std::string("2024");
    version.watermark_us = 1;
    version.created_at_us = i;
    version.engine = std::string("tidemark test");
    version.chain = chain = ComputeChain(version);
    versions.push_back(version);
  }
  return versions;
}

TEST(StateVersionTest, EveryFieldIsPartOfTheChain) {
  const StateVersion original = History(2)[1];
  const std::vector<std::function<void(StateVersion&)>> changes = {
      [](StateVersion& v) { v.connection.push_back('x'); },
      [](StateVersion& v) { v.entry.clear(); },
      [](StateVersion& v) { v.version = 3; },
      [](StateVersion& v) { v.parent = 0; },
      [](StateVersion& v) { v.epoch = 4; },
      [](StateVersion& v) { v.kind = StateKind::kRepair; },
      [](StateVersion& v) { v.format = 2; },
      [](StateVersion& v) { v.body_hash[0] ^= 1; },
      [](StateVersion& v) { v.prev_chain[31] ^= 1; },
      [](StateVersion& v) { v.sync_id.push_back('x'); },
      [](StateVersion& v) { v.group_id.push_back('x'); },
      [](StateVersion& v) { ++v.counts.inserted; },
      [](StateVersion& v) { ++v.counts.updated; },
      [](StateVersion& v) { ++v.counts.deleted; },
      [](StateVersion& v) { ++v.counts.unchanged; },
      [](StateVersion& v) { ++v.counts.superseded; },
      [](StateVersion& v) { ++v.counts.missing; },
      [](StateVersion& v) { ++v.counts.conflict; },
      [](StateVersion& v) { ++v.counts.late_queue; },
      [](StateVersion& v) { ++v.counts.dead_letter; },
      [](StateVersion& v) { ++v.counts.deleted_by_truncate; },
      [](StateVersion& v) { ++v.counts.duplicates_collapsed; },
      [](StateVersion& v) { v.cursor.push_back('x'); },
      [](StateVersion& v) { v.watermark_us = kNoTime; },
      [](StateVersion& v) { v.created_at_us = 9; },
      [](StateVersion& v) { v.engine.push_back('x'); },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    StateVersion changed = original;
    changes[i](changed);
    EXPECT_NE(original.chain, ComputeChain(changed)) << "field " << i;
  }
  StateVersion moved = original;  // no byte may wander from one field into the next
  moved.sync_id.clear();
  moved.group_id.insert(0, original.sync_id);
  EXPECT_NE(original.chain, ComputeChain(moved));
}

TEST(StateVersionTest, AWholeHistoryVerifiesFromItsStartOrItsAnchor) {
  const std::vector<StateVersion> history = History(5);
  EXPECT_TRUE(VerifyChain(history, "").ok());
  EXPECT_TRUE(VerifyChain({}, "").ok());
  EXPECT_TRUE(VerifyChain(absl::MakeConstSpan(history).subspan(2), history[1].chain).ok());
}

TEST(StateVersionTest, WhatDoesNotFitIsNamed) {
  struct Case {
    std::function<void(std::vector<StateVersion>&)> damage;
    const char* anchor;
    const char* text;
  };
  const Case cases[] = {
      {[](auto& h) { h[1].body.push_back('x'); }, "", "version 2: the body does not match"},
      {[](auto& h) { h[1].counts.inserted = 9; }, "", "version 2: the row does not match"},
      {[](auto& h) { h.erase(h.begin() + 1); }, "", "version 3: version 2 is gone"},
      {[](auto& h) { h.erase(h.begin()); }, "", "version 2: older versions are gone"},
      {[](auto& h) { h[2].prev_chain.clear(); }, "", "version 3: it is not chained"},
      {[](auto& h) { h[2].parent = 3; }, "", "version 3: version 3 cannot be its parent"},
      {[](auto&) {}, "anchor", "version 1: an anchor is kept"},
      {[](auto& h) { h[0].version = 0; }, "", "version 0: versions count from 1"},
  };
  for (const Case& one : cases) {
    std::vector<StateVersion> history = History(3);
    one.damage(history);
    const absl::Status status = VerifyChain(history, one.anchor);
    EXPECT_EQ(absl::StatusCode::kDataLoss, status.code());
    EXPECT_NE(std::string::npos, status.ToString().find(one.text)) << status;
    EXPECT_NE(std::string::npos, status.ToString().find("\"users\"")) << status;
  }
}

// The first `good` versions, then a repair that builds on the last of them and takes `number`.
std::vector<StateVersion> Repaired(size_t good, int64_t number) {
  std::vector<StateVersion> history = History(static_cast<int>(good));
  StateVersion repair = History(1)[0];
  repair.kind = StateKind::kRepair;
  repair.version = number;
  repair.parent = static_cast<int64_t>(good);
  repair.prev_chain = good == 0 ? "" : history.back().chain;
  repair.chain = ComputeChain(repair);
  history.push_back(repair);
  return history;
}

TEST(ChainVerifierTest, ARepairMayLeaveAGapAfterItsParentAndNowhereElse) {
  EXPECT_TRUE(VerifyChain(Repaired(3, 4), "").ok());
  EXPECT_TRUE(VerifyChain(Repaired(3, 9), "").ok());
  EXPECT_TRUE(VerifyChain(Repaired(0, 9), "").ok());
  const std::vector<StateVersion> whole = Repaired(5, 9);
  EXPECT_TRUE(VerifyChain(absl::MakeConstSpan(whole).subspan(3), whole[2].chain).ok());
  EXPECT_TRUE(VerifyChain(absl::MakeConstSpan(whole).subspan(5), whole[4].chain).ok());

  struct Case {
    std::function<void(std::vector<StateVersion>&)> change;
    const char* text;
  };
  const Case cases[] = {
      {[](auto& h) { h.back().kind = StateKind::kNormal; }, "version 4 is gone"},
      {[](auto& h) { h.back().kind = StateKind::kRollback; }, "version 4 is gone"},
      {[](auto& h) { h.back().kind = StateKind::kReset; }, "version 4 is gone"},
      {[](auto& h) { h.back().parent = 2; }, "version 4 is gone"},
      {[](auto& h) { h.back().parent = 0; }, "version 4 is gone"},
      {[](auto& h) { h.back().prev_chain = h[1].chain; }, "not chained"},
      {[](auto& h) { h.back().prev_chain.clear(); }, "not chained"},
      {[](auto& h) { h.erase(h.begin() + 2); }, "version 3 is gone"},  // the parent itself
      {[](auto& h) { h.erase(h.begin(), h.begin() + 3); }, "older versions are gone"},
      {[](auto& h) { h.back().version = 3; }, "version 4 is gone"},
  };
  for (const Case& one : cases) {
    std::vector<StateVersion> history = Repaired(3, 9);
    one.change(history);
    history.back().chain = ComputeChain(history.back());  // as whoever forges it would
    const absl::Status status = VerifyChain(history, "");
    EXPECT_EQ(absl::StatusCode::kDataLoss, status.code()) << one.text;
    EXPECT_NE(std::string::npos, status.ToString().find(one.text)) << status;
  }
}

TEST(StateVersionTest, AGapOfARepairDoesNotCountAsNewerVersions) {
  std::vector<StateVersion> history = Repaired(3, 50);
  EXPECT_EQ(0, NewestReleasable(history, 0, {3'600'000'000, 10}));
  EXPECT_EQ(2, NewestReleasable(history, 0, {3'600'000'000, 2}));
}

TEST(StateVersionTest, AVersionLeavesTheHorizonByAgeOrByNumber) {
  std::vector<StateVersion> history = History(20);
  for (size_t i = 0; i < history.size(); ++i) {
    history[i].created_at_us = static_cast<int64_t>(i) * 60'000'000;
  }
  struct Case {
    int64_t now_us;
    RollbackHorizon horizon;
    int64_t newest;
  };
  const int64_t last = 19 * 60'000'000;
  const Case cases[] = {
      {last, {}, 10},                   // ten newer ones exist
      {last, {3'600'000'000, 100}, 0},  // neither old nor many
      {last, {300'000'000, 100}, 14},   // older than five minutes
      {last, {300'000'000, 3}, 17},     // whichever comes first
      {last + 7'200'000'000, {}, 20},   // all are old
  };
  for (const Case& one : cases) {
    EXPECT_EQ(one.newest, NewestReleasable(history, one.now_us, one.horizon));
  }
  EXPECT_EQ(0, NewestReleasable({}, last, {}));
}

TEST(StateVersionTest, KindsHaveNames) {
  for (const StateKind kind :
       {StateKind::kNormal, StateKind::kRollback, StateKind::kRepair, StateKind::kReset,
        StateKind::kMigrate, StateKind::kImport, StateKind::kSnapshot}) {
    EXPECT_EQ(kind, ParseStateKind(StateKindName(kind)));
  }
  EXPECT_EQ(std::nullopt, ParseStateKind("other"));
}

}  // namespace
}  // namespace tidemark
