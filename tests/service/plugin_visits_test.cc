// Calls beside syncs are within the budget of plugins, and the end of the server ends them.
#include "service/plugin_visits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "service/call_error.h"
#include "tests/service/service_fixture.h"

namespace tidemark::test {
namespace {

constexpr char kSlow[] = "{count: 100000, checkpoint_interval: 10, pause_us: 20000}";
// Longer than any test: whoever waits for it hangs.
constexpr char kStuck[] = "{count: 100000, checkpoint_interval: 1, pause_us: 300000000}";

class PluginVisitsTest : public ServiceFixture {
 protected:
  void OpenWithOnePlugin() {
    RunnerLimits limits;
    limits.max_plugins = 1;
    limits.visit_wait = absl::Milliseconds(150);
    Open(limits);
  }
  void TearDown() override {
    if (runner_ != nullptr) runner_->Stop();
    ServiceFixture::TearDown();
  }
};

TEST_F(PluginVisitsTest, ACallWaitsForAProcessAndIsRefusedWhenNoneBecomesFree) {
  Generator("busy", kSlow);
  Generator("shop", "{count: 10}", "", "shop.db");
  OpenWithOnePlugin();
  const SyncEntry busy = Start("busy");
  Await([&] { return Count("rows") > 0; });
  const absl::Status refused = runner_->Visit("shop").status();
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  EXPECT_EQ(ReasonOf(refused), "PLUGINS_BUSY");
  EXPECT_EQ(ReasonOf(runner_->visits().Begin(1).status()), "PLUGINS_BUSY");
  ASSERT_TRUE(runner_->StopSync(busy.sync_id, true).ok());
  AwaitEnd(busy.sync_id);
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit = runner_->Visit("shop");
  ASSERT_TRUE(visit.ok()) << visit.status();
  EXPECT_TRUE((*visit)->engine()->Check().ok());
}

TEST_F(PluginVisitsTest, ASyncWaitsForTheEndOfACall) {
  Generator("shop", "{count: 10}");
  OpenWithOnePlugin();
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit = runner_->Visit("shop");
  ASSERT_TRUE(visit.ok()) << visit.status();
  const SyncEntry sync = Start("shop");
  EXPECT_TRUE((*visit)->engine()->ReadPreview("", 2).ok());
  EXPECT_EQ(syncs_->Get(sync.sync_id)->phase, SyncPhase::kQueued);
  visit->reset();
  EXPECT_EQ(AwaitEnd(sync.sync_id).phase, SyncPhase::kCompleted);
}

TEST_F(PluginVisitsTest, TheEndOfTheServerEndsWhatRunsAndRefusesWhatComes) {
  Generator("stuck", kStuck);
  Generator("shop", "{count: 10}");
  Open();
  absl::StatusOr<std::unique_ptr<PluginVisit>> visit = runner_->Visit("stuck");
  ASSERT_TRUE(visit.ok()) << visit.status();
  absl::Status ended;
  std::thread call([&] { ended = (*visit)->engine()->ReadPreview("", 1000).status(); });
  const absl::Time begin = absl::Now();
  runner_->Stop();
  call.join();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(5));
  EXPECT_FALSE(ended.ok());
  EXPECT_EQ(ReasonOf((*visit)->Explain(ended)), "SERVER_STOPS");
  EXPECT_TRUE((*visit)->Explain(absl::OkStatus()).ok());
  EXPECT_EQ(ReasonOf(runner_->Visit("shop").status()), "SERVER_STOPS");
}

TEST_F(PluginVisitsTest, TheEndOfTheServerEndsWhatWaits) {
  Generator("shop", "{count: 10}");
  RunnerLimits limits;
  limits.max_plugins = 1;
  limits.visit_wait = absl::InfiniteDuration();
  Open(limits);
  absl::StatusOr<std::unique_ptr<PluginVisit>> first = runner_->Visit("shop");
  ASSERT_TRUE(first.ok()) << first.status();
  absl::Status second;
  std::thread call([&] { second = runner_->Visit("shop").status(); });
  runner_->Stop();
  call.join();
  EXPECT_EQ(ReasonOf(second), "SERVER_STOPS");
}

}  // namespace
}  // namespace tidemark::test
