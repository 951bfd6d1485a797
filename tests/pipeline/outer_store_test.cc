// Protocol B of semantics.md section 6: the store beside the destination while syncs run.
#include "state/outer_store.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "state/sqlite_state_store.h"
#include "state/state_corruption.h"
#include "tests/pipeline/sync_fixture.h"

namespace tidemark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A real store that fails where it is told to.
class FaultyStore final : public StateStore {
 public:
  explicit FaultyStore(std::unique_ptr<StateStore> real) : real_(std::move(real)) {}

  // Called before each append; an error is returned instead of appending.
  std::function<absl::Status()> before_append;
  // Called after each append that succeeded; its error is returned in spite of that.
  std::function<absl::Status()> after_append;
  absl::Status acquire_failure;
  absl::Status renew_failure;
  int renewed = 0;

  std::string Describe() const override { return "the faulty store"; }
  absl::StatusOr<std::optional<StateHolder>> Holder() override { return real_->Holder(); }
  absl::StatusOr<std::vector<StateHead>> Heads() override { return real_->Heads(); }
  absl::Status ReadVersions(const VersionQuery& query,
                            const std::function<absl::Status(StoredVersion&)>& each) override {
    return real_->ReadVersions(query, each);
  }
  absl::StatusOr<std::vector<AuditRecord>> Audit(int64_t limit) override {
    return real_->Audit(limit);
  }
  absl::StatusOr<int64_t> Acquire(const OwnershipRequest& request) override {
    if (!acquire_failure.ok()) return acquire_failure;
    return real_->Acquire(request);
  }
  absl::Status Renew() override {
    ++renewed;
    return renew_failure;
  }
  absl::Status Append(absl::Span<const VersionAppend> appends,
                      absl::Span<const AuditRecord> audit) override {
    if (before_append) {
      if (absl::Status status = before_append(); !status.ok()) return status;
    }
    absl::Status status = real_->Append(appends, audit);
    return status.ok() && after_append ? after_append() : status;
  }
  void Release() override { real_->Release(); }

 private:
  std::unique_ptr<StateStore> real_;
};

class OuterStoreTest : public SyncFixture {
 protected:
  OuterStoreTest() : store_(Open("state.db", false)), authority_(Open("warehouse.db", true)) {
    play_.tables = {Table("a", {{"id", DataType::kLong, true}, {"v", DataType::kLong}})};
    play_.script = [](const UpdateStart& start) {
      const int from = start.states.empty() ? 0 : std::stoi(start.states[0].body);
      Moves moves;
      for (int i = from + 1; i <= 4; ++i) {
        moves.push_back(Say(Rows(0, 2).Upsert({i, 10 * i})));
        moves.push_back(Mark(static_cast<uint64_t>(i - from), absl::StrCat(i)));
        moves.push_back(WaitFor(absl::Seconds(1)));
      }
      moves.push_back(Done());
      return moves;
    };
    options_.retry.max_attempts = 3;
  }

  std::unique_ptr<StateStore> Real(const std::string& file, bool read_only) {
    SqliteStateStoreOptions options;
    options.clock = &clock_;
    options.read_only = read_only;
    options.create = !read_only;
    return *OpenSqliteStateStore(absl::StrCat(folder_, "/", file), "shop", options);
  }
  std::unique_ptr<FaultyStore> Open(const std::string& file, bool read_only) {
    return std::make_unique<FaultyStore>(Real(file, read_only));
  }

  // No file stays open, so that each leaves its log behind in no other.
  void Close() {
    store_ = nullptr;
    authority_ = nullptr;
  }
  void Reopen() {
    store_ = Open("state.db", false);
    authority_ = Open("warehouse.db", true);
  }

  SyncOutcome Sync() {
    play_.acknowledgements.clear();
    OuterStore::Options options;
    options.ownership.holder = "a test";
    options.pause = absl::ZeroDuration();
    OuterStore outer(
        *store_,
        [this]() -> absl::StatusOr<std::unique_ptr<StateStore>> {
          return Real("warehouse.db", true);
        },
        clock_, options);
    outer_ = &outer;
    SyncOutcome outcome = Run(play_);
    outer_ = nullptr;
    return outcome;
  }

  static std::vector<std::string> History(StateStore& store) {
    std::vector<std::string> lines;
    VersionQuery query;
    EXPECT_TRUE(store
                    .ReadVersions(query,
                                  [&lines](StoredVersion& stored) {
                                    const StateVersion& v = stored.version;
                                    lines.push_back(absl::StrCat(v.version, ":", v.body, ":",
                                                                 v.group_id, ":", v.epoch));
                                    EXPECT_EQ(v.chain, ComputeChain(v));
                                    return absl::OkStatus();
                                  })
                    .ok());
    return lines;
  }
  void ExpectEqual(size_t versions) {
    EXPECT_EQ(History(*store_), History(*authority_));
    EXPECT_THAT(History(*store_), SizeIs(versions));
  }
  std::vector<uint64_t> Durable() const {
    std::vector<uint64_t> ids;
    ids.reserve(play_.acknowledgements.size());
    for (const Acknowledgement& a : play_.acknowledgements) ids.push_back(a.durable);
    return ids;
  }
  void ExpectAllRows() {
    EXPECT_THAT(Live("a", "id, v"), ElementsAre("1|10", "2|20", "3|30", "4|40"));
  }

  Play play_;
  std::unique_ptr<FaultyStore> store_;
  std::unique_ptr<FaultyStore> authority_;
};

TEST_F(OuterStoreTest, TheStoreHasEveryVersionBeforeTheSourceIsTold) {
  size_t appended = 0;
  store_->before_append = [&] {
    EXPECT_THAT(play_.acknowledgements, SizeIs(appended++));
    return absl::OkStatus();
  };
  const SyncOutcome outcome = Sync();
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_EQ(appended, 4u);
  EXPECT_THAT(Durable(), ElementsAre(1u, 2u, 3u, 4u));
  ExpectEqual(4);
  ExpectAllRows();
}

TEST_F(OuterStoreTest, AFailureAtAnyAppendIsMadeGoodByTheNextAttempt) {
  for (const bool written : {false, true}) {
    for (int at = 1; at <= 4; ++at) {
      SCOPED_TRACE(absl::StrCat(written ? "written" : "not written", ", append ", at));
      Close();
      std::filesystem::remove(absl::StrCat(folder_, "/warehouse.db"));
      std::filesystem::remove(absl::StrCat(folder_, "/state.db"));
      Reopen();
      int appends = 0;
      const auto fail = [&appends, at]() -> absl::Status {
        if (++appends != at) return absl::OkStatus();
        return absl::UnavailableError("the store is away");
      };
      (written ? store_->after_append : store_->before_append) = fail;
      const SyncOutcome outcome = Sync();
      EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
      EXPECT_EQ(outcome.retries, 1u);
      ExpectEqual(4);
      ExpectAllRows();
    }
  }
}

TEST_F(OuterStoreTest, AStoreThatStaysAwayStopsTheSyncWithoutAnAcknowledgement) {
  int appends = 0;
  store_->before_append = [&appends]() -> absl::Status {
    return ++appends >= 3 ? absl::UnavailableError("the store is away") : absl::OkStatus();
  };
  SyncOutcome outcome = Sync();
  EXPECT_EQ(outcome.status, SyncStatus::kFailed);
  EXPECT_TRUE(outcome.error_of_destination);
  EXPECT_THAT(std::string(outcome.error.message()), HasSubstr("the store is away"));
  EXPECT_THAT(Durable(), ElementsAre(1u, 2u));
  EXPECT_THAT(Live("a", "id, v"), SizeIs(3)) << "what the destination committed is kept";
  store_->before_append = nullptr;
  outcome = Sync();
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  ExpectEqual(4);
  ExpectAllRows();
}

TEST_F(OuterStoreTest, WarnKeepsRowsAndTellsTheSourceOnlyWhenTheStoreIsBack) {
  options_.go_on_behind_store = true;
  int appends = 0;
  store_->before_append = [&appends]() -> absl::Status {
    ++appends;
    return appends == 2 || appends == 3 ? absl::UnavailableError("the store is away")
                                        : absl::OkStatus();
  };
  SyncOutcome outcome = Sync();
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  EXPECT_EQ(Durable().front(), 1u);
  EXPECT_EQ(Durable().back(), 4u);
  EXPECT_TRUE(Warned(outcome, "the store is away"));
  ExpectEqual(4);
  ExpectAllRows();
}

TEST_F(OuterStoreTest, WarnEndsAsPartialWhenTheStoreIsAwayAtTheEnd) {
  options_.go_on_behind_store = true;
  store_->acquire_failure = absl::UnavailableError("the store is away");
  SyncOutcome outcome = Sync();
  EXPECT_EQ(outcome.status, SyncStatus::kPartial) << outcome.error;
  EXPECT_THAT(Durable(), IsEmpty()) << "Invariant I2";
  EXPECT_TRUE(Warned(outcome, "the source is not told"));
  ExpectAllRows();
  store_->acquire_failure = absl::OkStatus();
  outcome = Sync();
  EXPECT_EQ(outcome.status, SyncStatus::kCompleted) << outcome.error;
  ExpectEqual(4);
}

TEST_F(OuterStoreTest, WhoeverIsFencedThereStops) {
  const auto script = play_.script;
  for (const bool warn : {false, true}) {
    options_.go_on_behind_store = warn;
    play_.script = script;
    store_->before_append = [] { return absl::FailedPreconditionError("FENCED: taken over"); };
    const SyncOutcome outcome = Sync();
    EXPECT_EQ(outcome.status, SyncStatus::kFailed);
    EXPECT_THAT(std::string(outcome.error.message()), HasSubstr("FENCED"));
    EXPECT_EQ(outcome.retries, 0u);
    EXPECT_THAT(Durable(), IsEmpty());
    store_->before_append = nullptr;
    store_->renew_failure = absl::FailedPreconditionError("FENCED: taken over");
    play_.script = [](const UpdateStart&) {
      return Script(WaitFor(absl::Minutes(1)), Say(Rows(0, 2).Upsert({9, 9})), Mark(1, "9"),
                    Done());
    };
    const SyncOutcome renewed = Sync();
    EXPECT_THAT(std::string(renewed.error.message()), HasSubstr("FENCED"));
    EXPECT_THAT(Live("a", "id, v"), testing::Not(testing::Contains("9|9")));
    store_->renew_failure = absl::OkStatus();
  }
}

TEST_F(OuterStoreTest, TheLeaseIsRenewedWhileTheSourceIsSilent) {
  play_.script = [](const UpdateStart&) {
    return Script(WaitFor(absl::Minutes(2)), Say(Rows(0, 2).Upsert({1, 1})), Mark(1, "4"), Done());
  };
  EXPECT_EQ(Sync().status, SyncStatus::kCompleted);
  EXPECT_GE(store_->renewed, 10);
}

TEST_F(OuterStoreTest, AReplacedDestinationIsNotSyncedIntoSilently) {
  EXPECT_EQ(Sync().status, SyncStatus::kCompleted);
  Close();
  std::filesystem::remove(absl::StrCat(folder_, "/warehouse.db"));
  Reopen();
  const SyncOutcome outcome = Sync();
  EXPECT_EQ(outcome.status, SyncStatus::kFailed);
  EXPECT_EQ(CorruptionOf(outcome.error), CorruptionClass::kStoreAhead) << outcome.error;
  EXPECT_THAT(Durable(), IsEmpty());
  EXPECT_THAT(History(*store_), SizeIs(4)) << "nothing was written";
}

TEST_F(OuterStoreTest, TwoHistoriesAreToldApart) {
  EXPECT_EQ(Sync().status, SyncStatus::kCompleted);
  Close();
  std::filesystem::remove(absl::StrCat(folder_, "/state.db"));
  EXPECT_EQ(std::rename(absl::StrCat(folder_, "/warehouse.db").c_str(),
                        absl::StrCat(folder_, "/old.db").c_str()),
            0);
  Reopen();
  EXPECT_EQ(Sync().status, SyncStatus::kCompleted);  // another history of the same connection
  Close();
  EXPECT_EQ(std::rename(absl::StrCat(folder_, "/old.db").c_str(),
                        absl::StrCat(folder_, "/warehouse.db").c_str()),
            0);
  Reopen();
  const SyncOutcome outcome = Sync();
  EXPECT_EQ(CorruptionOf(outcome.error), CorruptionClass::kGapOrFork) << outcome.error;
}

}  // namespace
}  // namespace tidemark
