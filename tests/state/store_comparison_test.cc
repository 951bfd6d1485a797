// Protocol B: how a store stands to the destination's tables, and what brings them together.
#include "state/store_comparison.h"

#include <gmock/gmock.h>

#include "tests/state/local_stores.h"

namespace tidemark {

// Only its places are used here.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StateStoreConformanceTest);

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// An authority and a store, both of SQLite, each written like by a sync.
class StoreComparisonTest : public testing::Test {
 protected:
  struct Side {
    SqliteStorePlace place;
    std::unique_ptr<StateStore> store;
    int64_t epoch = 0;
  };

  StoreComparisonTest() {
    OpenSide(authority_);
    OpenSide(store_);
  }

  void OpenSide(Side& side, HistoryRetention retention = {}) {
    side.store = nullptr;
    side.store = *side.place.Open("shop", &Clock::Real());
    OwnershipRequest request;
    request.holder = "a test";
    request.retention = retention;
    if (retention.versions < 10) request.horizon.newer_versions = 1;
    const auto epoch = side.store->Acquire(request);
    ASSERT_TRUE(epoch.ok()) << epoch.status();
    side.epoch = *epoch;
  }

  static StateHead Head(StateStore& store) {
    const auto heads = store.Heads();
    EXPECT_TRUE(heads.ok()) << heads.status();
    StateHead none;
    none.entry = none.table = "t";
    return heads->empty() ? none : heads->front();
  }
  static VersionAppend Following(const Side& side, const std::string& body) {
    const StateHead head = Head(*side.store);
    NextVersion next;
    next.state.table = "t";
    next.state.body = body;
    next.epoch = side.epoch;
    next.now_us = 1;
    next.engine = "tidemark test";
    return AppendAfter("shop", head, next);
  }
  static void Write(Side& side, const VersionAppend& append) {
    const absl::Status status = side.store->Append({&append, 1}, {});
    ASSERT_TRUE(status.ok()) << status;
  }
  // `count` versions in both, as protocol B leaves them.
  void WriteBoth(int count) {
    for (int i = 0; i < count; ++i) {
      const VersionAppend append = Following(authority_, absl::StrCat("both ", i));
      Write(authority_, append);
      Write(store_, append);
    }
  }
  void WriteOne(Side& side, int count, const std::string& body) {
    for (int i = 0; i < count; ++i) Write(side, Following(side, absl::StrCat(body, " ", i)));
  }

  std::vector<EntryPosition> Compare() {
    const auto positions = CompareStores(*authority_.store, *store_.store);
    EXPECT_TRUE(positions.ok()) << positions.status();
    return *positions;
  }
  absl::Status Roll() {
    return RollForward(*authority_.store, *store_.store, Compare(), AuditRecord());
  }
  RewindRequest Request() {
    RewindRequest request;
    request.epoch = authority_.epoch;
    request.connection = "shop";
    request.engine = "tidemark test";
    request.by = "a test";
    return request;
  }
  static std::vector<std::string> Bodies(StateStore& store) {
    const StateHead head = Head(store);
    ChainVerifier verifier(head.anchor);
    std::vector<std::string> lines;
    VersionQuery query;
    query.entry = "t";
    const absl::Status status = store.ReadVersions(query, [&](StoredVersion& stored) {
      lines.push_back(absl::StrCat(stored.version.version, ":", stored.version.body));
      return verifier.Add(stored.version);
    });
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(verifier.last_chain(), head.chain);
    return lines;
  }
  void ExpectEqual() {
    EXPECT_EQ(Bodies(*authority_.store), Bodies(*store_.store));
    for (const EntryPosition& at : Compare()) EXPECT_EQ(at.position, StorePosition::kEqual);
  }

  Side authority_;
  Side store_;
};

TEST_F(StoreComparisonTest, SaysHowTheyStand) {
  EXPECT_THAT(Compare(), IsEmpty());
  WriteBoth(3);
  ASSERT_EQ(Compare().size(), 1u);
  EXPECT_EQ(Compare()[0].position, StorePosition::kEqual);
  WriteOne(authority_, 2, "authority");
  EXPECT_EQ(Compare()[0].position, StorePosition::kBehind);
  EXPECT_EQ(Compare()[0].common, 3);
  WriteOne(store_, 1, "store");
  EXPECT_EQ(Compare()[0].position, StorePosition::kForked);
  EXPECT_EQ(Compare()[0].common, 3);
  WriteOne(store_, 1, "store");  // the same number
  EXPECT_EQ(Compare()[0].position, StorePosition::kForked);
  WriteOne(store_, 3, "store");
  EXPECT_EQ(Compare()[0].position, StorePosition::kForked);
  EXPECT_THAT(DescribePositions(Compare(), *authority_.store, *store_.store),
              HasSubstr("two histories"));
}

TEST_F(StoreComparisonTest, AStoreWithoutItsConnectionIsFilled) {
  WriteOne(authority_, 4, "authority");
  EXPECT_EQ(Compare()[0].position, StorePosition::kBehind);
  ASSERT_TRUE(Roll().ok());
  ExpectEqual();
  EXPECT_TRUE(store_.store->Audit(10)->empty()) << "a plain roll-forward is no repair";
}

TEST_F(StoreComparisonTest, AStoreBehindIsRolledForwardFromAnyStep) {
  WriteBoth(2);
  WriteOne(authority_, 3, "authority");
  // As if the copying had been killed after its first version.
  const EntryPosition at = Compare()[0];
  VersionQuery query;
  query.entry = "t";
  query.first = 3;
  query.limit = 1;
  ASSERT_TRUE(authority_.store
                  ->ReadVersions(query,
                                 [&](StoredVersion& stored) {
                                   VersionAppend append;
                                   append.table = "t";
                                   append.version = stored.version;
                                   append.expected_version = at.store.version;
                                   append.expected_chain = at.store.chain;
                                   return store_.store->Append({&append, 1}, {});
                                 })
                  .ok());
  ASSERT_TRUE(Roll().ok());
  ExpectEqual();
}

TEST_F(StoreComparisonTest, AStoreSoFarBehindThatHistoryEndedGetsWhatIsLeft) {
  OpenSide(authority_, {3, 1 << 20});
  WriteBoth(2);
  WriteOne(authority_, 6, "authority");  // keeps 3 versions
  EXPECT_EQ(Compare()[0].position, StorePosition::kBehind);
  const absl::Status status = Roll();
  ASSERT_TRUE(status.ok()) << status;
  ExpectEqual();
  EXPECT_EQ(store_.store->Audit(10)->size(), 1u);
}

TEST_F(StoreComparisonTest, AStoreAheadIsRewoundWithTheDestination) {
  WriteBoth(3);
  WriteOne(store_, 3, "lost");
  ASSERT_EQ(Compare()[0].position, StorePosition::kAhead);
  EXPECT_THAT(DescribePositions(Compare(), *authority_.store, *store_.store),
              HasSubstr("older copy"));
  absl::Status status = Rewind(*authority_.store, *store_.store, Compare(), Request());
  ASSERT_TRUE(status.ok()) << status;
  ExpectEqual();
  EXPECT_THAT(Bodies(*store_.store), ElementsAre("1:both 0", "2:both 1", "3:both 2", "7:both 2"));
  EXPECT_EQ(store_.store->Audit(10)->size(), 1u);
  EXPECT_EQ(authority_.store->Audit(10)->size(), 1u);
  WriteBoth(1);
  ExpectEqual();
}

TEST_F(StoreComparisonTest, ARewindThatWasKilledBetweenTheStoresIsFinishedByRollingForward) {
  WriteBoth(3);
  WriteOne(store_, 2, "lost");
  // The authority's half of Rewind alone: its store is a copy that is thrown away.
  Side copy;
  OpenSide(copy);
  ASSERT_TRUE(CopyState(*store_.store, *copy.store, AuditRecord()).ok());
  ASSERT_TRUE(Rewind(*authority_.store, *copy.store, Compare(), Request()).ok());
  EXPECT_EQ(Compare()[0].position, StorePosition::kBehind);
  EXPECT_THAT(Compare()[0].replaced, ElementsAre(4, 5));
  const absl::Status status = Roll();
  ASSERT_TRUE(status.ok()) << status;
  ExpectEqual();
}

TEST_F(StoreComparisonTest, AnEntryThatTheDestinationDoesNotHaveBeginsAnew) {
  WriteOne(store_, 2, "lost");
  ASSERT_EQ(Compare()[0].position, StorePosition::kAhead);
  const absl::Status status = Rewind(*authority_.store, *store_.store, Compare(), Request());
  ASSERT_TRUE(status.ok()) << status;
  ExpectEqual();
  EXPECT_THAT(Bodies(*authority_.store), ElementsAre("3:"));
}

TEST_F(StoreComparisonTest, ALostDestinationIsRebuiltFromTheStore) {
  OpenSide(store_, {3, 1 << 20});
  WriteOne(store_, 7, "store");  // keeps 3 versions and an anchor
  AuditRecord audit;
  audit.action = "repair";
  const absl::Status status = CopyState(*store_.store, *authority_.store, audit);
  ASSERT_TRUE(status.ok()) << status;
  ExpectEqual();
  EXPECT_EQ(authority_.store->Audit(10)->size(), 1u);
  EXPECT_EQ(CopyState(*store_.store, *authority_.store, audit).code(),
            absl::StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace tidemark
