// One suite for every StateStore (server/state/state_store.h). A test program includes this header
// and instantiates StateStoreConformanceTest with its stores:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StateStoreConformanceTest, testing::Values(SqliteFile()),
//                            StoreUnderTestName);
#ifndef TIDEMARK_TESTS_STATE_STATE_STORE_CONFORMANCE_H_
#define TIDEMARK_TESTS_STATE_STATE_STORE_CONFORMANCE_H_

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
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

TEST_P(StateStoreConformanceTest, AnEmptyStoreHasNothing) {
  absl::StatusOr<std::optional<StateHolder>> holder = store_->Holder();
  ASSERT_TRUE(holder.ok()) << holder.status();
  EXPECT_FALSE(holder->has_value());
  if (GetParam().missing_is_empty) {
    EXPECT_TRUE(store_->Heads().ok());
  } else {
    EXPECT_EQ(absl::StatusCode::kNotFound, store_->Heads().status().code());
  }
  EXPECT_FALSE(store_->Describe().empty());
  EXPECT_EQ(1, Acquire());
  absl::StatusOr<std::vector<StateHead>> heads = store_->Heads();
  ASSERT_TRUE(heads.ok()) << heads.status();
  EXPECT_TRUE(heads->empty());
  EXPECT_TRUE(Read(All("t")).empty());
  EXPECT_TRUE(store_->Audit(10)->empty());
}

TEST_P(StateStoreConformanceTest, AVersionReadsBackAsItWasWritten) {
  Acquire();
  NextVersion next;
  next.kind = StateKind::kImport;
  next.state.schema = "public";
  next.state.table = "users";
  next.state.body = std::string("\x00\x01\xff\n\"\\ \xc3\xa4", 9);
  next.state.cursor = "2024-01-15T10:30:00Z \xe6\x97\xa5";
  next.state.format = 4'000'000'000;
  next.state.watermark_us = -5;
  next.epoch = epoch_;
  next.now_us = 1'700'000'000'123'456;
  next.sync_id = "01HX";
  next.group_id = "g";
  next.engine = "tidemark 0.1.0";
  StateHead head;
  VersionAppend append = AppendAfter("c", head, next);
  append.version.counts = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  append.version.chain = ComputeChain(append.version);
  ASSERT_TRUE(store_->Append({&append, 1}, {}).ok());
  Reopen();
  const std::vector<StoredVersion> versions = Read(All("public.users"));
  ASSERT_EQ(1u, versions.size());
  EXPECT_TRUE(versions[0].readable.ok());
  const StateVersion& read = versions[0].version;
  EXPECT_EQ("c", read.connection);
  EXPECT_EQ("public.users", read.entry);
  EXPECT_EQ(append.version.body, read.body);
  EXPECT_EQ(append.version.counts, read.counts);
  EXPECT_EQ(append.version.cursor, read.cursor);
  EXPECT_EQ(append.version.watermark_us, read.watermark_us);
  EXPECT_EQ(append.version.chain, ComputeChain(read)) << "some field is not as it was written";
  head = Head("public.users");
  EXPECT_EQ("public", head.schema);
  EXPECT_EQ("users", head.table);
  EXPECT_EQ(1, head.version);
  EXPECT_EQ(append.version.chain, head.chain);
  EXPECT_EQ("", head.anchor);
}

TEST_P(StateStoreConformanceTest, VersionsAreReadInEitherOrderFromAnyNumberUpToALimit) {
  Acquire();
  AddAll("t", 6);
  AddAll("other", 2);
  VersionQuery query = All("t");
  EXPECT_EQ((std::vector<int64_t>{1, 2, 3, 4, 5, 6}), Numbers(query));
  query.first = 3;
  EXPECT_EQ((std::vector<int64_t>{3, 4, 5, 6}), Numbers(query));
  query.limit = 2;
  EXPECT_EQ((std::vector<int64_t>{3, 4}), Numbers(query));
  query.newest_first = true;
  EXPECT_EQ((std::vector<int64_t>{6, 5}), Numbers(query));
  query.limit = -1;
  EXPECT_EQ((std::vector<int64_t>{6, 5, 4, 3}), Numbers(query));
  query.limit = 0;
  EXPECT_TRUE(Numbers(query).empty());
  query = All("t");
  query.bodies = false;
  for (const StoredVersion& stored : Read(query)) {
    EXPECT_TRUE(stored.readable.ok());
    EXPECT_EQ("", stored.version.body);
    EXPECT_TRUE(stored.body_bytes == 6 || stored.body_bytes == -1) << stored.body_bytes;
  }
  EXPECT_TRUE(Read(All("nowhere")).empty());
}

TEST_P(StateStoreConformanceTest, AnErrorOfTheReaderEndsTheReading) {
  Acquire();
  AddAll("t", 3);
  int seen = 0;
  const absl::Status status = store_->ReadVersions(All("t"), [&seen](StoredVersion&) {
    return ++seen == 2 ? absl::CancelledError("enough") : absl::OkStatus();
  });
  EXPECT_EQ(absl::StatusCode::kCancelled, status.code());
  EXPECT_EQ(2, seen);
  EXPECT_EQ(3u, Read(All("t")).size());
}

// Invariant I3.
TEST_P(StateStoreConformanceTest, AnAppendOnAnotherHeadDivergesAndWritesNothing) {
  Acquire();
  AddAll("t", 2);
  const StateHead head = Head("t");
  StateHead nothing;
  nothing.table = "t";
  StateHead behind = head;
  behind.version = 1;
  StateHead ahead = head;
  ahead.version = 9;
  StateHead fork = head;
  fork.chain[0] = static_cast<char>(fork.chain[0] ^ 1);
  StateHead stranger = head;
  stranger.entry = stranger.table = "new";
  for (const StateHead& from : {nothing, behind, ahead, fork, stranger}) {
    const VersionAppend append = Following(from, "body");
    const absl::Status status = store_->Append({&append, 1}, {});
    EXPECT_EQ(absl::StatusCode::kDataLoss, status.code()) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "DIVERGED")) << status;
  }
  EXPECT_EQ(2u, Read(All("t")).size());
  EXPECT_TRUE(Read(All("new")).empty());
  EXPECT_TRUE(Add("t", "3").ok());
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, EntriesOfOneAppendAreWrittenTogetherOrNotAtAll) {
  Acquire();
  AddAll("a", 1);
  AddAll("b", 1);
  std::vector<VersionAppend> appends = {Following(Head("a"), "2"), Following(Head("new"), "1"),
                                        Following(Head("b"), "2")};
  AuditRecord record;
  record.action = "import";
  std::vector<VersionAppend> wrong = appends;
  wrong[2] = Following(Head("nowhere"), "x");
  wrong[2].expected_version = 3;
  wrong[2].version.version = 4;
  wrong[2].version.parent = 3;
  wrong[2].version.chain = ComputeChain(wrong[2].version);
  const absl::Status status = store_->Append(wrong, {&record, 1});
  EXPECT_EQ(absl::StatusCode::kDataLoss, status.code()) << status;
  EXPECT_EQ(1, Head("a").version);
  EXPECT_EQ(0, Head("new").version);
  EXPECT_TRUE(Read(All("new")).empty());
  EXPECT_TRUE(store_->Audit(10)->empty());
  ASSERT_TRUE(store_->Append(appends, {&record, 1}).ok());
  EXPECT_EQ(2, Head("a").version);
  EXPECT_EQ(1, Head("new").version);
  EXPECT_EQ(2, Head("b").version);
  EXPECT_EQ(1u, store_->Audit(10)->size());
}

TEST_P(StateStoreConformanceTest, SeveralVersionsOfOneEntryInOneAppendFollowEachOther) {
  Acquire();
  AddAll("t", 1);
  std::vector<VersionAppend> appends;
  StateHead head = Head("t");
  for (int i = 2; i <= 5; ++i) {
    appends.push_back(Following(head, absl::StrCat("body ", i)));
    head.version = appends.back().version.version;
    head.chain = appends.back().version.chain;
  }
  ASSERT_TRUE(store_->Append(appends, {}).ok());
  EXPECT_EQ(5, Head("t").version);
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
  EXPECT_EQ((std::vector<int64_t>{1, 2, 3, 4, 5}), Numbers(All("t")));
}

TEST_P(StateStoreConformanceTest, ASecondHolderIsRefusedByName) {
  Acquire();
  AddAll("t", 1);
  std::unique_ptr<StateStore> other = Open();
  absl::StatusOr<int64_t> epoch = other->Acquire(Ask());
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, epoch.status().code()) << epoch.status();
  EXPECT_TRUE(absl::StrContains(epoch.status().message(), "conformance test")) << epoch.status();
  EXPECT_TRUE(absl::StrContains(epoch.status().message(), "since")) << epoch.status();
  // Reading needs no ownership, writing does.
  EXPECT_EQ(1, Head("t", other.get()).version);
  EXPECT_EQ(1u, Read(All("t"), other.get()).size());
  const VersionAppend append = Following(Head("t"), "2");
  EXPECT_EQ(absl::StatusCode::kFailedPrecondition, other->Append({&append, 1}, {}).code());
  EXPECT_TRUE(store_->Append({&append, 1}, {}).ok());
  EXPECT_TRUE(store_->Renew().ok());
  store_->Release();
  epoch = other->Acquire(Ask());
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  EXPECT_EQ(2, *epoch);
}

TEST_P(StateStoreConformanceTest, WhoeverIsTakenOverWritesNothingAnyMore) {
  Acquire();
  AddAll("t", 2);
  std::unique_ptr<StateStore> other = Open();
  absl::StatusOr<int64_t> epoch = other->Acquire(Ask(true));
  ASSERT_TRUE(epoch.ok()) << epoch.status();
  EXPECT_EQ(epoch_ + 1, *epoch);
  // Also an entry that nobody has seen before; before and after the new holder's first version.
  for (int i = 0; i < 2; ++i) {
    for (const char* entry : {"t", "first seen now"}) {
      const VersionAppend append = Following(Head(entry), "of the old holder");
      const absl::Status status = store_->Append({&append, 1}, {});
      EXPECT_EQ(absl::StatusCode::kFailedPrecondition, status.code()) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "FENCED")) << status;
    }
    EXPECT_EQ(absl::StatusCode::kFailedPrecondition, store_->Renew().code());
    const VersionAppend append = Following(Head("t", other.get()), "of the new holder");
    EXPECT_TRUE(other->Append({&append, 1}, {}).ok());
  }
  EXPECT_EQ(4u, Read(All("t"), other.get()).size());
  EXPECT_TRUE(Read(All("first seen now"), other.get()).empty());
  absl::StatusOr<std::vector<AuditRecord>> audit = other->Audit(10);
  ASSERT_TRUE(audit.ok()) << audit.status();
  ASSERT_EQ(1u, audit->size());
  EXPECT_EQ("take-over", (*audit)[0].action);
  store_->Release();  // gives nothing back that is not its own
  EXPECT_TRUE(other->Renew().ok());
}

TEST_P(StateStoreConformanceTest, TheHolderIsNamed) {
  Acquire();
  std::unique_ptr<StateStore> other = Open();
  absl::StatusOr<std::optional<StateHolder>> holder = other->Holder();
  ASSERT_TRUE(holder.ok()) << holder.status();
  ASSERT_TRUE(holder->has_value());
  EXPECT_EQ(epoch_, (*holder)->epoch);
  EXPECT_EQ("conformance test", (*holder)->holder);
  EXPECT_EQ(getpid(), (*holder)->pid);
  EXPECT_GT((*holder)->pid_start, 0);
  EXPECT_FALSE((*holder)->boot_id.empty());
  EXPECT_GT((*holder)->acquired_at_us, 0);
  EXPECT_TRUE((*holder)->held);
  store_->Release();
  holder = other->Holder();
  ASSERT_TRUE(holder.ok() && holder->has_value());
  EXPECT_EQ(epoch_, (*holder)->epoch);
  EXPECT_FALSE((*holder)->held);
}

TEST_P(StateStoreConformanceTest, EverythingIsThereAfterReopening) {
  EXPECT_EQ(1, Acquire());
  AddAll("t", 3);
  const StateHead before = Head("t");
  for (int64_t epoch = 2; epoch < 5; ++epoch) {
    Reopen();
    EXPECT_EQ(before.chain, Head("t").chain);
    EXPECT_TRUE(Verify("t").ok()) << Verify("t");
    EXPECT_EQ(epoch, Acquire());
  }
  EXPECT_TRUE(Add("t", "4").ok());
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, ConnectionsOfOnePlaceDoNotMeet) {
  Acquire();
  AddAll("t", 2);
  for (const char* name : {"d", "c2", "C", "c/../c", "\xc3\xa4 b", "c%"}) {
    std::unique_ptr<StateStore> other = Open(name);
    absl::StatusOr<int64_t> epoch = other->Acquire(Ask());
    ASSERT_TRUE(epoch.ok()) << name << ": " << epoch.status();
    EXPECT_EQ(1, *epoch) << name;
    EXPECT_TRUE(other->Heads()->empty()) << name;
    StateHead head;
    head.table = "t";
    const VersionAppend append = Following(head, name, name);
    EXPECT_TRUE(other->Append({&append, 1}, {}).ok()) << name;
    EXPECT_EQ(1, Head("t", other.get()).version) << name;
  }
  EXPECT_EQ(2, Head("t").version);
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, ARepairSetsVersionsAsideAndHistoryVerifies) {
  Acquire();
  AddAll("t", 5);
  const VersionAppend repair = RepairTo("t", 3);
  AuditRecord record;
  record.at_us = 5;
  record.action = "repair";
  record.entry = "t";
  record.by = "test";
  record.detail = "versions 4 and 5 did not verify";
  ASSERT_TRUE(store_->Append({&repair, 1}, {&record, 1}).ok());
  Reopen();
  EXPECT_EQ((std::vector<int64_t>{1, 2, 3, 6}), Numbers(All("t")));
  EXPECT_EQ(6, Head("t").version);
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
  EXPECT_EQ("body 3", Read(All("t")).back().version.body);
  EXPECT_EQ("versions 4 and 5 did not verify", (*store_->Audit(1))[0].detail);
  // Life goes on, and a second repair may follow.
  Acquire();
  ASSERT_TRUE(Add("t", "7").ok());
  const VersionAppend again = RepairTo("t", 2);
  ASSERT_TRUE(store_->Append({&again, 1}, {}).ok());
  EXPECT_EQ((std::vector<int64_t>{1, 2, 8}), Numbers(All("t")));
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
  EXPECT_TRUE(Add("t", "9").ok());
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, ARepairMayBeginAnewWhenNothingIsGood) {
  Acquire();
  AddAll("t", 3);
  const StateHead head = Head("t");
  NextVersion next;
  next.kind = StateKind::kRepair;
  next.state.table = "t";
  next.state.body = "from a backup";
  next.epoch = epoch_;
  StateHead from = head;
  from.chain.clear();
  VersionAppend append = AppendAfter("c", from, next);
  append.version.parent = 0;
  append.version.chain = ComputeChain(append.version);
  append.expected_chain = head.chain;
  append.set_aside = {1, 2, 3};
  append.anchor = "";
  ASSERT_TRUE(store_->Append({&append, 1}, {}).ok());
  EXPECT_EQ((std::vector<int64_t>{4}), Numbers(All("t")));
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, ACopyBeginsWithTheOldestVersionThatIsLeft) {
  Acquire();
  StateHead head;
  head.table = "t";
  head.version = 30;
  head.chain = std::string(32, 'x');
  VersionAppend append = Following(head, "31");
  append.expected_version = 0;
  append.expected_chain.clear();
  append.anchor = head.chain;
  ASSERT_TRUE(store_->Append({&append, 1}, {}).ok());
  EXPECT_EQ(head.chain, Head("t").anchor);
  EXPECT_EQ(31, Head("t").version);
  EXPECT_TRUE(Add("t", "32").ok());
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, RetentionKeepsTheNewestAndAnAnchor) {
  OwnershipRequest request = Ask();
  request.retention = {8, 1 << 20};
  request.horizon.newer_versions = 3;
  Acquire(request);
  ASSERT_TRUE(Add("rarely", "1").ok());
  std::string chain;
  for (int i = 1; i <= 20; ++i) {
    if (i == 13) chain = Head("t").chain;
    ASSERT_TRUE(Add("t", absl::StrCat("body ", i)).ok());
  }
  EXPECT_EQ((std::vector<int64_t>{13, 14, 15, 16, 17, 18, 19, 20}), Numbers(All("t")));
  EXPECT_EQ(chain, Head("t").anchor);
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
  EXPECT_EQ((std::vector<int64_t>{1}), Numbers(All("rarely")));
  EXPECT_TRUE(Verify("rarely").ok()) << Verify("rarely");
  // Bytes count, too, but never at the cost of the rollback horizon.
  Reopen();
  request.retention = {1000, 2500};
  Acquire(request);
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(Add("t", std::string(600, static_cast<char>('a' + i))).ok());
  }
  EXPECT_EQ((std::vector<int64_t>{25, 26, 27, 28}), Numbers(All("t")));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Add("t", std::string(5000, static_cast<char>('a' + i))).ok());
  }
  EXPECT_EQ((std::vector<int64_t>{28, 29, 30, 31}), Numbers(All("t")));
  Reopen();
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
}

TEST_P(StateStoreConformanceTest, RetentionPassesTheGapOfARepair) {
  OwnershipRequest request = Ask();
  request.retention = {3, 1 << 20};
  request.horizon.newer_versions = 1;
  Acquire(request);
  AddAll("t", 3);
  const VersionAppend repair = RepairTo("t", 1);
  ASSERT_TRUE(store_->Append({&repair, 1}, {}).ok());
  for (int i = 5; i <= 8; ++i) {
    ASSERT_TRUE(Add("t", absl::StrCat("body ", i)).ok());
    ASSERT_TRUE(Verify("t").ok()) << Verify("t");
  }
  EXPECT_EQ((std::vector<int64_t>{6, 7, 8}), Numbers(All("t")));
}

TEST_P(StateStoreConformanceTest, TheAuditIsReadNewestFirstAndOutlivesRetention) {
  OwnershipRequest request = Ask();
  request.retention = {2, 1 << 20};
  request.horizon.newer_versions = 1;
  Acquire(request);
  for (int i = 1; i <= 5; ++i) {
    AuditRecord record;
    record.at_us = i;
    record.action = "rollback";
    record.entry = "t";
    record.by = "somebody \xc3\xa4";
    record.detail = absl::StrCat("line ", i, "\nsecond \"line\"");
    const VersionAppend append = Following(Head("t"), absl::StrCat("body ", i));
    ASSERT_TRUE(store_->Append({&append, 1}, {&record, 1}).ok());
  }
  Reopen();
  absl::StatusOr<std::vector<AuditRecord>> audit = store_->Audit(2);
  ASSERT_TRUE(audit.ok()) << audit.status();
  ASSERT_EQ(2u, audit->size());
  EXPECT_EQ(5, (*audit)[0].at_us);
  EXPECT_EQ("rollback", (*audit)[0].action);
  EXPECT_EQ("t", (*audit)[0].entry);
  EXPECT_EQ("somebody \xc3\xa4", (*audit)[0].by);
  EXPECT_EQ("line 5\nsecond \"line\"", (*audit)[0].detail);
  EXPECT_EQ(5u, store_->Audit(-1)->size());
  EXPECT_TRUE(Open("d")->Audit(10).value_or(std::vector<AuditRecord>()).empty());
}

TEST_P(StateStoreConformanceTest, ABodyMayHaveTenMebibytes) {
  Acquire();
  std::string body(10 << 20, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7 + i / 251);
  ASSERT_TRUE(Add("t", body).ok());
  ASSERT_TRUE(Add("t", "small").ok());
  Reopen();
  EXPECT_TRUE(Verify("t").ok()) << Verify("t");
  EXPECT_TRUE(Read(All("t"))[0].version.body == body);
}

TEST_P(StateStoreConformanceTest, AnyNameMayBeAnEntry) {
  Acquire();
  const std::vector<std::string> names = {
      "",     "t",      "T",        "t able",       "\"t\"; DROP TABLE x--", "t'",
      "t\nu", "t:u{v}", "\xc3\xa4", "\xe6\x97\xa5", "\xf0\x9f\x90\xa2",      std::string(500, 'n')};
  for (const std::string& name : names) {
    const absl::Status status = Add(name, absl::StrCat("body of ", name));
    ASSERT_TRUE(status.ok()) << name << ": " << status;
  }
  Reopen();
  std::vector<std::string> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  absl::StatusOr<std::vector<StateHead>> heads = store_->Heads();
  ASSERT_TRUE(heads.ok()) << heads.status();
  std::vector<std::string> found;
  found.reserve(heads->size());
  for (const StateHead& head : *heads) found.push_back(head.entry);
  EXPECT_EQ(sorted, found) << "entries are listed in the order of their bytes";
  for (const std::string& name : names) {
    EXPECT_TRUE(Verify(name).ok()) << name << ": " << Verify(name);
    EXPECT_EQ(absl::StrCat("body of ", name), Read(All(name))[0].version.body);
  }
}

TEST_P(StateStoreConformanceTest, AVersionThatBreaksTheRulesIsRefused) {
  Acquire();
  AddAll("t", 2);
  const VersionAppend good = Following(Head("t"), "3");
  const std::vector<std::pair<const char*, std::function<void(VersionAppend&)>>> cases = {
      {"a body that is not its hash", [](VersionAppend& a) { a.version.body += "x"; }},
      {"a field that is not in its chain", [](VersionAppend& a) { a.version.epoch += 1; }},
      {"another connection", [](VersionAppend& a) { a.version.connection = "d"; }},
      {"another table", [](VersionAppend& a) { a.table = "u"; }},
      {"a number left out", [](VersionAppend& a) { a.version.version += 1; }},
      {"a parent that is newer", [](VersionAppend& a) { a.version.parent = 3; }},
      {"no chain to the head", [](VersionAppend& a) { a.version.prev_chain[0] ^= 1; }},
      {"set aside without a repair", [](VersionAppend& a) { a.set_aside = {1}; }},
      {"an anchor without a repair", [](VersionAppend& a) { a.anchor = "x"; }},
  };
  for (const auto& [what, change] : cases) {
    VersionAppend append = good;
    change(append);
    if (append.version.body == good.version.body && append.version.epoch == good.version.epoch) {
      append.version.chain = ComputeChain(append.version);
    }
    const absl::Status status = store_->Append({&append, 1}, {});
    EXPECT_EQ(absl::StatusCode::kInvalidArgument, status.code()) << what << ": " << status;
  }
  EXPECT_EQ(2u, Read(All("t")).size());
  EXPECT_TRUE(store_->Append({&good, 1}, {}).ok());
}

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_STATE_STATE_STORE_CONFORMANCE_H_
