// Incidents from beginning to end, with a clock of the test's and real channels.
#include "web/alerts.h"

#include "absl/strings/str_cat.h"
#include "control/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/web/http_peer.h"
#include "tests/web/web_fixture.h"

namespace tidemark {
namespace {

using test::HttpPeer;
using test::PlainAnswer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class AlertsTest : public test::WebFixture {
 protected:
  void SetUp() override {
    WebFixture::SetUp();
    AddConnection("shop");
  }

  AlertRule Rule(AlertCondition condition) const {
    AlertRule rule;
    rule.name = std::string(AlertConditionName(condition));
    rule.condition = condition;
    rule.channels = {"hook"};
    return rule;
  }
  // Begins (again) with these rules and a webhook to peer_.
  void Begin(std::vector<AlertRule> rules) {
    alerts_.reset();
    metrics_ = std::make_unique<Metrics>(Metrics::Parts{connections_.get(), syncs_.get(), &clock_});
    AlertRules all;
    all.rules = std::move(rules);
    AlertChannelSettings hook{"hook", WebhookSettings(), std::nullopt};
    hook.webhook->url = absl::StrCat("http://127.0.0.1:", peer_.port(), "/");
    hook.webhook->timeout = absl::Seconds(5);
    all.channels = {{"log", std::nullopt, std::nullopt}, hook};
    auto alerts = Alerts::Open(all, AllParts());
    ASSERT_TRUE(alerts.ok()) << alerts.status();
    alerts_ = *std::move(alerts);
  }
  Alerts::Parts AllParts() {
    Alerts::Parts parts;
    parts.catalog = catalog_.get();
    parts.connections = connections_.get();
    parts.syncs = syncs_.get();
    parts.metrics = metrics_.get();
    parts.redactor = &redactor_;
    parts.log = &log_;
    parts.clock = &clock_;
    parts.authentication_failures = [this] { return refused_; };
    return parts;
  }
  void Restart(std::vector<AlertRule> rules) {
    alerts_.reset();
    metrics_.reset();
    Reopen();
    Begin(std::move(rules));
  }
  void End(SyncPhase phase, const std::string& error = "") {
    EndSync("shop", phase, alerts_.get(), nullptr, error);
    const SyncEntry last = *syncs_->Last("shop");
    metrics_->OnSyncEnded(last, nullptr);
  }
  // What a tick now says, "event rule connection: text" each.
  std::vector<std::string> Said() {
    EXPECT_EQ(alerts_->Tick(), absl::OkStatus());
    alerts_->DeliverDue("hook");
    std::vector<std::string> lines;
    const std::vector<test::PeerRequest> all = peer_.requests();
    for (; seen_ < all.size(); ++seen_) {
      const nlohmann::json json = nlohmann::json::parse(all[seen_].body);
      lines.push_back(absl::StrCat(
          json.at("event").get<std::string>(), " ", json.at("rule").get<std::string>(), " ",
          json.at("connection").get<std::string>(), ": ", json.at("text").get<std::string>()));
    }
    return lines;
  }

  HttpPeer peer_{[this](const test::PeerRequest&) { return PlainAnswer(status_); }};
  std::atomic<int> status_{200};
  uint64_t refused_ = 0;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<Alerts> alerts_;
  size_t seen_ = 0;
};

TEST_F(AlertsTest, AnIncidentIsSaidOnceAndItsEndToo) {
  Begin({Rule(AlertCondition::kFailed)});
  EXPECT_THAT(Said(), IsEmpty());
  End(SyncPhase::kFailed, "the source refused the token");
  EXPECT_THAT(Said(), ElementsAre("firing failed shop: the last sync failed: "
                                  "the source refused the token"));
  EXPECT_THAT(alerts_->Incidents(), SizeIs(1));
  EXPECT_THAT(Said(), IsEmpty());
  End(SyncPhase::kFailed, "another reason");
  EXPECT_THAT(Said(), IsEmpty());
  End(SyncPhase::kCompleted);
  EXPECT_THAT(Said(), ElementsAre("recovered failed shop: over; it was: the last sync failed: "
                                  "another reason"));
  EXPECT_THAT(Said(), IsEmpty());
  EXPECT_THAT(alerts_->Incidents(), IsEmpty());
  End(SyncPhase::kFailed, "again");
  EXPECT_THAT(Said(), SizeIs(1));
}

TEST_F(AlertsTest, ARestartKnowsWhatWasSaid) {
  const std::vector<AlertRule> rules = {Rule(AlertCondition::kFailed)};
  Begin(rules);
  End(SyncPhase::kFailed, "no route");
  EXPECT_THAT(Said(), SizeIs(1));
  Restart(rules);
  EXPECT_THAT(alerts_->Incidents(), SizeIs(1));
  EXPECT_THAT(Said(), IsEmpty());
  End(SyncPhase::kCompleted);
  EXPECT_THAT(Said(), SizeIs(1));
  Restart(rules);
  EXPECT_THAT(Said(), IsEmpty());
}

// Killed between the decision and its delivery.
TEST_F(AlertsTest, WhatWasNotDeliveredIsAfterARestart) {
  const std::vector<AlertRule> rules = {Rule(AlertCondition::kFailed)};
  Begin(rules);
  End(SyncPhase::kFailed, "no route");
  ASSERT_TRUE(alerts_->Tick().ok());
  Restart(rules);
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("firing failed shop")));
}

TEST_F(AlertsTest, AFailedSyncOfBeforeTheRestartStillCounts) {
  Begin({});
  End(SyncPhase::kCompleted);
  End(SyncPhase::kFailed, "while nobody watched");
  Restart({Rule(AlertCondition::kFailed)});
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("while nobody watched")));
}

TEST_F(AlertsTest, AChannelThatIsDownGetsEverythingInOrderLater) {
  Begin({Rule(AlertCondition::kFailed)});
  status_ = 503;
  End(SyncPhase::kFailed, "no route");
  EXPECT_THAT(Said(), SizeIs(1));  // it heard, and said 503
  EXPECT_THAT(Said(), IsEmpty());  // not yet again
  End(SyncPhase::kCompleted);
  EXPECT_THAT(Said(), IsEmpty());  // behind the first
  status_ = 200;
  clock_.Advance(absl::Seconds(3));
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("firing"), HasSubstr("recovered")));
  const std::vector<test::PeerRequest> all = peer_.requests();
  EXPECT_EQ(all[0].headers.at("tidemark-notice"), all[1].headers.at("tidemark-notice"));
  EXPECT_NE(all[1].headers.at("tidemark-notice"), all[2].headers.at("tidemark-notice"));
}

TEST_F(AlertsTest, PausesDoubleAndADayIsEnough) {
  Begin({Rule(AlertCondition::kFailed)});
  status_ = 500;
  End(SyncPhase::kFailed);
  ASSERT_TRUE(alerts_->Tick().ok());
  std::vector<int64_t> pauses;
  absl::Duration waited;
  for (int i = 0; i < 500; ++i) {
    const absl::Time next = alerts_->DeliverDue("hook");
    if (next == absl::InfiniteFuture()) break;
    const absl::Duration pause = next - clock_.Now();
    pauses.push_back(absl::ToInt64Seconds(pause));
    waited += pause;
    clock_.Advance(pause);
  }
  ASSERT_GT(pauses.size(), 10U);
  EXPECT_THAT(std::vector<int64_t>(pauses.begin(), pauses.begin() + 10),
              ElementsAre(2, 4, 8, 16, 32, 64, 128, 256, 512, 600));
  EXPECT_EQ(pauses.back(), 600);
  EXPECT_GT(waited, absl::Hours(24));
  EXPECT_LT(waited, absl::Hours(25));
}

TEST_F(AlertsTest, WhatIsRefusedIsNotTriedAgain) {
  Begin({Rule(AlertCondition::kFailed)});
  status_ = 404;
  End(SyncPhase::kFailed);
  EXPECT_THAT(Said(), SizeIs(1));
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Said(), IsEmpty());
}

TEST_F(AlertsTest, HoldsAndRepeats) {
  AlertRule rule = Rule(AlertCondition::kFailed);
  rule.hold = absl::Minutes(5);
  rule.repeat = absl::Hours(1);
  Begin({rule});
  End(SyncPhase::kFailed, "no route");
  EXPECT_THAT(Said(), IsEmpty());
  clock_.Advance(absl::Minutes(2));
  End(SyncPhase::kCompleted);
  EXPECT_THAT(Said(), IsEmpty());  // was over before it was said
  End(SyncPhase::kFailed, "no route");
  EXPECT_THAT(Said(), IsEmpty());
  clock_.Advance(absl::Minutes(2));
  Restart({rule});
  EXPECT_THAT(Said(), IsEmpty());
  clock_.Advance(absl::Minutes(3));  // the hold goes on through the restart
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("firing failed shop")));
  clock_.Advance(absl::Minutes(59));
  EXPECT_THAT(Said(), IsEmpty());
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("repeated failed shop")));
  EXPECT_THAT(Said(), IsEmpty());
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("repeated failed shop")));
}

TEST_F(AlertsTest, LagAndAgeNeedNoSyncToBeNoticed) {
  AlertRule lag = Rule(AlertCondition::kLagOver);
  lag.age = absl::Minutes(15);
  AlertRule stale = Rule(AlertCondition::kStaleFor);
  stale.age = absl::Hours(1);
  Begin({lag, stale});
  End(SyncPhase::kCompleted);
  EXPECT_THAT(Said(), IsEmpty());
  clock_.Advance(absl::Minutes(16));
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("firing lag_over shop")));
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("firing stale_for shop")));
  ASSERT_TRUE(connections_->SetPaused("shop", true).ok());
  EXPECT_THAT(Said(),
              ElementsAre(HasSubstr("recovered lag_over"), HasSubstr("recovered stale_for")));
  ASSERT_TRUE(connections_->SetPaused("shop", false).ok());
  EXPECT_THAT(Said(), SizeIs(2));
  End(SyncPhase::kCompleted);
  EXPECT_THAT(Said(), SizeIs(2));
}

TEST_F(AlertsTest, WindowsSurviveARestart) {
  AlertRule rate = Rule(AlertCondition::kErrorRateOver);
  rate.over = 0.5;
  rate.within = absl::Hours(1);
  rate.at_least = 4;
  AlertRule letters = Rule(AlertCondition::kDeadLettersOver);
  letters.over = 9;
  letters.within = absl::Hours(1);
  Begin({rate, letters});
  SyncOutcome outcome;
  outcome.counts.dead_letter = 5;
  EndSync("shop", SyncPhase::kPartial, alerts_.get(), &outcome);
  End(SyncPhase::kFailed);
  End(SyncPhase::kFailed);
  EXPECT_THAT(Said(), IsEmpty());
  Restart({rate, letters});
  EndSync("shop", SyncPhase::kPartial, alerts_.get(), &outcome);
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("10 dead letters within 1h")));
  End(SyncPhase::kFailed);
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("3 of 5 syncs failed within 1h")));
  clock_.Advance(absl::Hours(2));
  EXPECT_THAT(Said(), SizeIs(2));
}

TEST_F(AlertsTest, RefusedCallersAreCountedWithinTheirWindow) {
  AlertRule rule = Rule(AlertCondition::kAuthenticationFailuresOver);
  rule.over = 3;
  rule.within = absl::Minutes(10);
  Begin({rule});
  refused_ = 3;
  EXPECT_THAT(Said(), IsEmpty());
  refused_ = 4;
  EXPECT_THAT(Said(), ElementsAre("firing authentication_failures_over : 4 refused callers within "
                                  "10m (limit 3)"));
  clock_.Advance(absl::Minutes(11));
  EXPECT_THAT(Said(), SizeIs(1));

  Alerts::Parts parts = AllParts();
  parts.authentication_failures = nullptr;
  AlertRules rules;
  rules.rules = {rule};
  EXPECT_TRUE(IsUsage(Alerts::Open(rules, parts).status()));
}

TEST_F(AlertsTest, RulesAndConnectionsThatAreGoneTakeTheirIncidentsWithThem) {
  AlertRule failed = Rule(AlertCondition::kFailed);
  AlertRule stale = Rule(AlertCondition::kStaleFor);
  stale.age = absl::Minutes(1);
  Begin({failed, stale});
  clock_.Advance(absl::Hours(1));
  End(SyncPhase::kFailed);
  EXPECT_THAT(Said(), SizeIs(2));
  Restart({failed});
  EXPECT_THAT(Said(), IsEmpty());
  EXPECT_THAT(alerts_->Incidents(), SizeIs(1));
  ASSERT_TRUE(connections_->Delete("shop", 0).ok());
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("recovered failed shop: the connection is gone")));
  EXPECT_THAT(alerts_->Incidents(), IsEmpty());
}

TEST_F(AlertsTest, TextsHoldNoSecret) {
  redactor_.AddSecret("hunter2hunter2");
  Begin({Rule(AlertCondition::kFailed)});
  End(SyncPhase::kFailed, "401 for hunter2hunter2");
  EXPECT_THAT(Said(), ElementsAre(HasSubstr("401 for ***")));
  EXPECT_THAT(peer_.requests()[0].body, Not(HasSubstr("hunter2")));
}

// A condition that cannot be stored is not forgotten.
TEST_F(AlertsTest, ACatalogThatRefusesWritesLosesNothing) {
  Begin({Rule(AlertCondition::kFailed)});
  End(SyncPhase::kFailed, "no route");
  const auto set_read_only = [this](const char* to) {
    return catalog_->With([to](SqliteConnection& connection) {
      return connection.Execute(absl::StrCat("PRAGMA query_only = ", to));
    });
  };
  ASSERT_TRUE(set_read_only("1").ok());
  EXPECT_FALSE(alerts_->Tick().ok());
  ASSERT_TRUE(set_read_only("0").ok());
  EXPECT_THAT(Said(), SizeIs(1));
}

TEST_F(AlertsTest, ThreadsDeliverByThemselves) {
  Begin({Rule(AlertCondition::kFailed)});
  End(SyncPhase::kFailed, "no route");
  alerts_->Start();
  EXPECT_TRUE(peer_.WaitForRequests(1));
  EXPECT_THAT(peer_.requests(), SizeIs(1));
  alerts_->Stop();
}

}  // namespace
}  // namespace tidemark
