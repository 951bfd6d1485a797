#include "service/sync_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "core/mutex.h"
#include "tests/service/service_fixture.h"

namespace tidemark::test {
namespace {

using testing::HasSubstr;

// What listeners were told, and how many syncs ran beside each other.
class Recorder final : public SyncListener {
 public:
  void OnSyncStarted(const SyncEntry& sync) override {
    MutexLock lock(mutex_);
    order_.push_back(sync.connection);
    running_ += 1;
    most_ = std::max(most_, running_);
  }
  void OnSyncProgress(const SyncEntry&, const SyncProgress& progress) override {
    if (progress.lag.has_value()) lags_ += 1;
  }
  void OnSyncEnded(const SyncEntry& sync, const SyncOutcome* outcome) override {
    MutexLock lock(mutex_);
    if (sync.started_at_us != 0) running_ -= 1;
    ended_[sync.connection] = sync;
    with_outcome_ += outcome != nullptr ? 1 : 0;
  }
  std::vector<std::string> order() {
    MutexLock lock(mutex_);
    return order_;
  }
  SyncEntry Ended(const std::string& connection) {
    MutexLock lock(mutex_);
    return ended_[connection];
  }
  int most() {
    MutexLock lock(mutex_);
    return most_;
  }
  int lags() const { return lags_; }

 private:
  Mutex mutex_;
  std::vector<std::string> order_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, SyncEntry> ended_ ABSL_GUARDED_BY(mutex_);
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  int most_ ABSL_GUARDED_BY(mutex_) = 0;
  int with_outcome_ ABSL_GUARDED_BY(mutex_) = 0;
  std::atomic<int> lags_{0};
};

constexpr char kSlow[] = "{count: 100000, checkpoint_interval: 10, pause_us: 20000}";

class SyncRunnerTest : public ServiceFixture {
 protected:
  void OpenAndListen(RunnerLimits limits = RunnerLimits()) {
    Open(limits);
    if (runner_ != nullptr) runner_->AddListener(&recorder_);
  }
  // Declared before the runner would be too late to be destroyed after it.
  void TearDown() override {
    if (runner_ != nullptr) runner_->Stop();
    ServiceFixture::TearDown();
  }
  Recorder recorder_;
};

TEST_F(SyncRunnerTest, RunsASyncAndStoresItsOutcomeAndReport) {
  Generator("shop", "{count: 500}");
  OpenAndListen();
  const SyncEntry queued = Start("shop");
  const SyncEntry ended = AwaitEnd(queued.sync_id);
  EXPECT_EQ(ended.phase, SyncPhase::kCompleted) << ended.error;
  EXPECT_EQ(ended.counts.inserted, 500u);
  EXPECT_GT(ended.bytes, 0u);
  EXPECT_EQ(Count("rows"), 500);
  const absl::StatusOr<std::string> report = syncs_->Report(queued.sync_id);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(*report, HasSubstr(queued.sync_id));
  EXPECT_EQ(Count(absl::StrCat("_tidemark_syncs WHERE sync_id = '", queued.sync_id, "'")), 1);
  Await([&] { return recorder_.Ended("shop").sync_id == queued.sync_id; });
}

TEST_F(SyncRunnerTest, OneSyncOfAConnectionAtATime) {
  Generator("shop", kSlow);
  OpenAndListen();
  const SyncEntry first = Start("shop");
  SyncRequest request;
  request.connection = "shop";
  const absl::StatusOr<SyncEntry> second = runner_->Start(request);
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status())) << second.status();
  EXPECT_EQ(BusySync(second.status()), first.sync_id);
  EXPECT_EQ(runner_->BusyWith("shop"), first.sync_id);
  AwaitRunning(first.sync_id);
  Await([&] { return Count("rows") > 20; });
  ASSERT_TRUE(runner_->StopSync(first.sync_id, false).ok());
  const SyncEntry ended = AwaitEnd(first.sync_id);
  EXPECT_TRUE(ended.interrupted);
  EXPECT_EQ(ended.phase, SyncPhase::kPartial);
  EXPECT_EQ(Count("rows") % 10, 0);  // to a checkpoint
  EXPECT_EQ(runner_->StopSync(first.sync_id, true)->phase, SyncPhase::kPartial);
  EXPECT_TRUE(absl::IsNotFound(runner_->StopSync("sync_none", false).status()));
  EXPECT_TRUE(absl::IsNotFound(TryStart("shap").status()));
}

TEST_F(SyncRunnerTest, WhoSeesTheEndOfASyncMayBeginTheNext) {
  Generator("shop", "{count: 10, checkpoint_interval: 1, pause_us: 20000}");
  OpenAndListen();
  const SyncEntry first = Start("shop");
  Mutex mutex;
  std::optional<absl::StatusOr<SyncEntry>> second;
  const std::shared_ptr<SyncBook::Watch> watch = syncs_->Subscribe(first.sync_id, [&] {
    if (!HasEnded(syncs_->Get(first.sync_id)->phase)) return;
    MutexLock lock(mutex);
    if (!second.has_value()) second = TryStart("shop");
  });
  AwaitEnd(first.sync_id);
  Await([&] {
    MutexLock lock(mutex);
    return second.has_value();
  });
  MutexLock lock(mutex);
  ASSERT_TRUE(second->ok()) << second->status();
  AwaitEnd((*second)->sync_id);
  EXPECT_EQ(syncs_->Last("shop")->sync_id, (*second)->sync_id);
}

TEST_F(SyncRunnerTest, AtMostSoManyAtOnceByPriorityThenAge) {
  RunnerLimits limits;
  limits.max_syncs = 1;
  Generator("first", "{count: 100, checkpoint_interval: 10, pause_us: 40000}");
  Generator("later", "{count: 10}", "", "later.db");
  Generator("last", "{count: 10}", "", "last.db");
  OpenAndListen(limits);
  const SyncEntry first = Start("first");
  const SyncEntry later = Start("later");
  const SyncEntry last = Start("last");
  EXPECT_EQ(syncs_->Get(later.sync_id)->phase, SyncPhase::kQueued);
  AwaitEnd(last.sync_id);
  EXPECT_EQ(recorder_.order(), (std::vector<std::string>{"first", "later", "last"}));
  EXPECT_EQ(recorder_.most(), 1);
}

TEST_F(SyncRunnerTest, WhatWaitsCanBeStopped) {
  RunnerLimits limits;
  limits.max_syncs = 1;
  Generator("first", kSlow);
  Generator("later", "{count: 10}", "", "later.db");
  OpenAndListen(limits);
  const SyncEntry first = Start("first");
  const SyncEntry later = Start("later");
  const absl::StatusOr<SyncEntry> stopped = runner_->StopSync(later.sync_id, false);
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  EXPECT_TRUE(stopped->interrupted);
  EXPECT_EQ(stopped->started_at_us, 0);
  EXPECT_EQ(runner_->BusyWith("later"), std::nullopt);
  ASSERT_TRUE(runner_->StopSync(first.sync_id, true).ok());
  AwaitEnd(first.sync_id);
}

TEST_F(SyncRunnerTest, TheMemoryOfAllPluginsIsLimited) {
  RunnerLimits limits;
  limits.memory_bytes = uint64_t{1300} << 20;  // the limit of one is 1 GiB
  for (int i = 0; i < 4; ++i)
    Generator(absl::StrCat("c", i), "{count: 50}", "", "w" + std::to_string(i));
  OpenAndListen(limits);
  std::vector<std::string> ids;
  ids.reserve(4);
  for (int i = 0; i < 4; ++i) ids.push_back(Start(absl::StrCat("c", i)).sync_id);
  std::map<int64_t, int64_t> times;  // start, end
  for (const std::string& id : ids) {
    const SyncEntry ended = AwaitEnd(id);
    EXPECT_EQ(ended.phase, SyncPhase::kCompleted);
    times[ended.started_at_us] = ended.ended_at_us;
  }
  int64_t last = 0;
  for (const auto& [begin, end] : times) {
    EXPECT_GE(begin, last);
    last = end;
  }
}

TEST_F(SyncRunnerTest, ConnectionsIntoOneFileAllComeOn) {
  RunnerLimits limits;
  limits.memory_bytes = uint64_t{64} << 30;
  for (int i = 0; i < 6; ++i) {
    Generator(absl::StrCat("c", i),
              absl::StrCat("{count: 3000, table: t", i, ", checkpoint_interval: 100}"));
  }
  OpenAndListen(limits);
  std::vector<std::string> ids;
  ids.reserve(6);
  for (int i = 0; i < 6; ++i) ids.push_back(Start(absl::StrCat("c", i)).sync_id);
  for (int i = 0; i < 6; ++i) {
    const SyncEntry ended = AwaitEnd(ids[static_cast<size_t>(i)]);
    EXPECT_EQ(ended.phase, SyncPhase::kCompleted) << ended.error;
    EXPECT_EQ(ended.retries, 0u);
    EXPECT_EQ(Count(absl::StrCat("t", i)), 3000);
  }
}

TEST_F(SyncRunnerTest, AFailureIsStoredWithoutSecretsAndHarmsNobody) {
  redactor_.AddSecret("s3cret-word");
  Generator("broken", "{count: 10, key_order: s3cret-word}");
  Generator("good", "{count: 10}");
  OpenAndListen();
  const SyncEntry broken = AwaitEnd(Start("broken").sync_id);
  EXPECT_EQ(broken.phase, SyncPhase::kFailed);
  EXPECT_NE(broken.error, "");
  EXPECT_THAT(broken.error, testing::Not(HasSubstr("s3cret-word")));
  Await([&] { return !recorder_.Ended("broken").sync_id.empty(); });
  EXPECT_FALSE(recorder_.Ended("broken").may_pass);
  EXPECT_EQ(AwaitEnd(Start("good").sync_id).phase, SyncPhase::kCompleted);
}

TEST_F(SyncRunnerTest, AConnectionHeldElsewhereIsSaidToBe) {
  Generator("shop", kSlow);
  OpenAndListen();
  const SyncEntry here = Start("shop");
  Await([&] { return Count("rows") > 0; });
  // A second server with the same connections and other data.
  std::unique_ptr<SyncRunner> runner = std::move(runner_);
  std::unique_ptr<SyncBook> syncs = std::move(syncs_);
  std::unique_ptr<ConnectionBook> connections = std::move(connections_);
  std::unique_ptr<Catalog> catalog = std::move(catalog_);
  const std::string folder = folder_;
  std::filesystem::create_directory(folder + "/second");
  std::filesystem::create_directory_symlink(folder + "/connections",
                                            folder + "/second/connections");
  folder_ = folder + "/second";
  Open();
  Recorder second;
  runner_->AddListener(&second);
  const SyncEntry there = AwaitEnd(Start("shop").sync_id);
  EXPECT_EQ(there.phase, SyncPhase::kFailed);
  EXPECT_EQ(there.error_code, absl::StatusCode::kUnavailable);
  EXPECT_THAT(there.error, HasSubstr("is being worked on by tidemark on"));
  Await([&] { return !second.Ended("shop").sync_id.empty(); });
  EXPECT_TRUE(second.Ended("shop").held_elsewhere);
  runner_->Stop();
  ASSERT_TRUE(runner->StopSync(here.sync_id, true).ok());
  runner->Stop();
  runner = nullptr;
  folder_ = folder;
}

TEST_F(SyncRunnerTest, ARealtimeSyncGoesOnCommitsWhenIdleAndShowsItsLag) {
  Generator("live", "{count: 1000000, rate: 200}");
  OpenAndListen();
  const SyncEntry live = Start("live", true);
  Await([&] { return Count("rows") > 60 && recorder_.lags() > 2; });
  EXPECT_EQ(syncs_->Get(live.sync_id)->phase, SyncPhase::kRunning);
  Await([&] {
    const absl::StatusOr<SyncBook::FeedPage> page = syncs_->Read(live.sync_id, 0, 1000);
    bool lag = false;
    for (const SyncFeedEvent& event : page->events) lag = lag || event.lag_seconds.has_value();
    return lag;
  });
  ASSERT_TRUE(runner_->StopSync(live.sync_id, false).ok());
  const SyncEntry ended = AwaitEnd(live.sync_id);
  EXPECT_TRUE(ended.interrupted);
  EXPECT_EQ(Count("rows"), static_cast<int64_t>(ended.counts.inserted));
}

TEST_F(SyncRunnerTest, RealtimeSyncsLeaveRoomForTheOthers) {
  RunnerLimits limits;
  limits.max_syncs = 1;
  Generator("live", "{count: 1000000, rate: 10}");
  Generator("shop", "{count: 10}", "", "shop.db");
  OpenAndListen(limits);
  const SyncEntry live = Start("live", true);
  AwaitRunning(live.sync_id);
  EXPECT_EQ(AwaitEnd(Start("shop").sync_id).phase, SyncPhase::kCompleted);
}

TEST_F(SyncRunnerTest, StopLetsSyncsCommitAndMarksThemToGoOn) {
  RunnerLimits limits;
  limits.max_syncs = 2;
  for (int i = 0; i < 3; ++i) Generator(absl::StrCat("c", i), kSlow, "", "w" + std::to_string(i));
  OpenAndListen(limits);
  std::vector<std::string> ids;
  ids.reserve(3);
  for (int i = 0; i < 3; ++i) ids.push_back(Start(absl::StrCat("c", i)).sync_id);
  Await([&] { return Count("rows", "w0") > 0 && Count("rows", "w1") > 0; });
  runner_->Stop();
  for (const std::string& id : ids) {
    const SyncEntry entry = *syncs_->Get(id);
    EXPECT_TRUE(HasEnded(entry.phase));
    EXPECT_TRUE(entry.interrupted);
    EXPECT_EQ(entry.error_code, absl::StatusCode::kAborted);
    EXPECT_EQ(entry.error, "the server stopped");
  }
  EXPECT_TRUE(absl::IsUnavailable(TryStart("c0").status()));
}

TEST_F(SyncRunnerTest, OwnSyncsAreExclusiveCountedAndStoppable) {
  Generator("shop", "{count: 10}");
  RunnerLimits limits;
  limits.max_ingest_streams = 1;
  OpenAndListen(limits);
  SyncRequest request;
  request.connection = "shop";
  request.trigger = SyncTrigger::kIngest;
  std::atomic<bool> inside{false};
  absl::StatusOr<SyncEntry> ended = absl::UnknownError("");
  std::thread stream([&] {
    ended = runner_->RunOwn(request, "till-1", [&](const SyncRunner::OwnSync& own) {
      inside = true;
      EXPECT_EQ(own.engine->connection().name, "shop/till-1");
      while (own.interrupt->count() == 0) std::this_thread::yield();
      SyncOutcome outcome;
      outcome.sync_id = own.record.sync_id;
      outcome.status = SyncStatus::kPartial;
      outcome.interrupted = true;
      outcome.counts.inserted = 3;
      return absl::StatusOr<SyncOutcome>(outcome);
    });
  });
  Await([&] { return inside.load(); });
  const auto never = [](const SyncRunner::OwnSync&) {
    ADD_FAILURE() << "it must not run";
    return absl::StatusOr<SyncOutcome>(absl::UnknownError(""));
  };
  EXPECT_TRUE(absl::IsFailedPrecondition(runner_->RunOwn(request, "till-1", never).status()));
  EXPECT_TRUE(absl::IsResourceExhausted(runner_->RunOwn(request, "till-2", never).status()));
  EXPECT_EQ(AwaitEnd(Start("shop").sync_id).phase, SyncPhase::kCompleted);  // beside it
  runner_->StopConnection("shop");
  stream.join();
  ASSERT_TRUE(ended.ok()) << ended.status();
  EXPECT_EQ(ended->producer, "till-1");
  EXPECT_EQ(ended->counts.inserted, 3u);
  EXPECT_TRUE(syncs_->Report(ended->sync_id).ok());
}

}  // namespace
}  // namespace tidemark::test
