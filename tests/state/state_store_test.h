// What the suite of state_store_conformance.h stands on: the stores under test, and a fixture that
// writes and reads versions.
#ifndef TIDEMARK_TESTS_STATE_STATE_STORE_TEST_H_
#define TIDEMARK_TESTS_STATE_STATE_STORE_TEST_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/clock.h"
#include "gtest/gtest.h"
#include "state/chain_verifier.h"
#include "state/next_version.h"
#include "state/state_store.h"

namespace tidemark {

// A fresh place for state, gone with its object: a folder, a schema, a key prefix.
class StorePlace {
 public:
  virtual ~StorePlace() = default;
  // A store object of its own over this place, as another process would have it; it makes what is
  // missing at Acquire. `clock` outlives it; a store with a clock of its own may ignore it.
  virtual absl::StatusOr<std::unique_ptr<StateStore>> Open(const std::string& connection,
                                                           Clock* clock) = 0;
};

struct StoreUnderTest {
  std::string name;
  std::function<std::unique_ptr<StorePlace>()> make_place;
  // Where it differs from the others without breaking the contract.
  bool missing_is_empty = false;  // Heads() before the first Acquire is empty, not NOT_FOUND
};

inline void PrintTo(const StoreUnderTest& store, std::ostream* out) { *out << store.name; }
inline std::string StoreUnderTestName(const testing::TestParamInfo<StoreUnderTest>& info) {
  return info.param.name;
}

class StateStoreConformanceTest : public testing::TestWithParam<StoreUnderTest> {
 protected:
  StateStoreConformanceTest() : place_(GetParam().make_place()), store_(Open()) {}

  // Stands still; moved by hand.
  class StandingClock final : public Clock {
   public:
    absl::Time Now() override { return now_; }
    absl::Duration Monotonic() override { return now_ - absl::UnixEpoch(); }
    void Sleep(absl::Duration duration) override { now_ += duration; }

   private:
    absl::Time now_ = absl::FromUnixSeconds(1'700'000'000);
  };

  std::unique_ptr<StateStore> Open(const std::string& connection = "c") {
    absl::StatusOr<std::unique_ptr<StateStore>> store = place_->Open(connection, &clock_);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  void Reopen() {
    store_ = nullptr;
    store_ = Open();
  }

  static OwnershipRequest Ask(bool take_over = false) {
    OwnershipRequest request;
    request.holder = "conformance test";
    request.take_over = take_over;
    return request;
  }
  int64_t Acquire(const OwnershipRequest& request = Ask()) {
    absl::StatusOr<int64_t> epoch = store_->Acquire(request);
    EXPECT_TRUE(epoch.ok()) << epoch.status();
    epoch_ = epoch.value_or(0);
    return epoch_;
  }

  StateHead Head(const std::string& entry, StateStore* store = nullptr) {
    absl::StatusOr<std::vector<StateHead>> heads = (store == nullptr ? *store_ : *store).Heads();
    EXPECT_TRUE(heads.ok()) << heads.status();
    for (const StateHead& head : heads.value_or(std::vector<StateHead>())) {
      if (head.entry == entry) return head;
    }
    StateHead none;
    none.entry = entry;
    none.table = entry;
    return none;
  }
  // The version that follows `head`, of the table that the entry is called after.
  VersionAppend Following(const StateHead& head, const std::string& body,
                          const std::string& connection = "c") {
    NextVersion next;
    next.state.schema = head.schema;
    next.state.table = head.table;
    next.state.body = body;
    next.state.cursor = absl::StrCat("cursor ", made_ + 1);
    next.state.format = 7;
    next.epoch = epoch_;
    next.now_us = 1'700'000'000'000'000 + ++made_;
    next.sync_id = "sync";
    next.group_id = absl::StrCat("group ", made_);
    next.engine = "tidemark test";
    return AppendAfter(connection, head, next);
  }
  absl::Status Add(const std::string& entry, const std::string& body) {
    const std::vector<VersionAppend> appends = {Following(Head(entry), body)};
    return store_->Append(appends, {});
  }
  void AddAll(const std::string& entry, int count) {
    for (int i = 1; i <= count; ++i) {
      const absl::Status status = Add(entry, absl::StrCat("body ", i));
      ASSERT_TRUE(status.ok()) << status;
    }
  }

  std::vector<StoredVersion> Read(const VersionQuery& query, StateStore* store = nullptr) {
    std::vector<StoredVersion> versions;
    const absl::Status status =
        (store == nullptr ? *store_ : *store).ReadVersions(query, [&](StoredVersion& stored) {
          versions.push_back(std::move(stored));
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return versions;
  }
  static VersionQuery All(const std::string& entry) {
    VersionQuery query;
    query.entry = entry;
    return query;
  }
  std::vector<int64_t> Numbers(const VersionQuery& query) {
    std::vector<int64_t> numbers;
    for (const StoredVersion& stored : Read(query)) numbers.push_back(stored.version.version);
    return numbers;
  }
  // L0 over one entry.
  absl::Status Verify(const std::string& entry) {
    const StateHead head = Head(entry);
    ChainVerifier verifier(head.anchor);
    for (const StoredVersion& stored : Read(All(entry))) {
      if (!stored.readable.ok()) return stored.readable;
      if (absl::Status s = verifier.Add(stored.version); !s.ok()) return s;
    }
    if (verifier.last_version() == head.version && verifier.last_chain() == head.chain) {
      return absl::OkStatus();
    }
    return absl::DataLossError(
        absl::StrCat("head ", head.version, ", history ends at ", verifier.last_version()));
  }
  // The repair that takes `entry` back to version `good`, setting aside everything after it.
  VersionAppend RepairTo(const std::string& entry, int64_t good) {
    const StateHead head = Head(entry);
    NextVersion next;
    next.kind = StateKind::kRepair;
    next.parent = good;
    next.epoch = epoch_;
    next.now_us = 1'700'000'000'000'000 + ++made_;
    next.engine = "tidemark test";
    StateHead from = head;
    std::vector<int64_t> aside;
    for (const StoredVersion& stored : Read(All(entry))) {
      if (stored.version.version > good || !stored.readable.ok()) {
        aside.push_back(stored.version.version);
      }
      if (stored.version.version != good) continue;
      next.state.body = stored.version.body;
      next.state.cursor = stored.version.cursor;
      from.chain = stored.version.chain;
    }
    next.state.schema = head.schema;
    next.state.table = head.table.empty() ? entry : head.table;  // a head may be lost
    VersionAppend append = AppendAfter("c", from, next);
    append.expected_chain = head.chain;
    append.set_aside = aside;
    return append;
  }

  StandingClock clock_;
  std::unique_ptr<StorePlace> place_;
  std::unique_ptr<StateStore> store_;
  int64_t epoch_ = 0;
  int64_t made_ = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_STATE_STATE_STORE_TEST_H_
