#include "web/alert_judge.h"

#include "gtest/gtest.h"

namespace tidemark {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

AlertRule Rule(AlertCondition condition) {
  AlertRule rule;
  rule.condition = condition;
  rule.age = absl::Minutes(15);
  rule.within = absl::Hours(1);
  return rule;
}

std::string Said(const AlertRule& rule, const AlertFacts& facts) {
  return Judge(rule, facts, kNow).value_or("nothing");
}

TEST(AlertJudge, Failed) {
  const AlertRule rule = Rule(AlertCondition::kFailed);
  AlertFacts facts;
  EXPECT_EQ(Said(rule, facts), "nothing");
  facts.last_failure = "";
  EXPECT_EQ(Said(rule, facts), "the last sync failed");
  facts.last_failure = "the source says 401";
  EXPECT_EQ(Said(rule, facts), "the last sync failed: the source says 401");
  facts.paused = true;
  EXPECT_EQ(Said(rule, facts), "the last sync failed: the source says 401");
}

TEST(AlertJudge, LagCountsFromWhatIsKnownAndNeverWhilePaused) {
  const AlertRule rule = Rule(AlertCondition::kLagOver);
  AlertFacts facts;
  EXPECT_EQ(Said(rule, facts), "nothing");
  facts.up_to_date = kNow - absl::Minutes(15);
  EXPECT_EQ(Said(rule, facts), "nothing");
  facts.up_to_date = kNow - absl::Minutes(15) - absl::Seconds(1);
  EXPECT_EQ(Said(rule, facts), "the destination is 15m1s behind its source (limit 15m)");
  facts.paused = true;
  EXPECT_EQ(Said(rule, facts), "nothing");
}

TEST(AlertJudge, StaleCountsFromTheDefinitionWhereNothingEverSucceeded) {
  AlertRule rule = Rule(AlertCondition::kStaleFor);
  AlertFacts facts;
  facts.known_since = kNow - absl::Minutes(10);
  facts.stale_after = absl::Minutes(5);
  EXPECT_EQ(Said(rule, facts), "nothing");
  facts.known_since = kNow - absl::Minutes(20);
  EXPECT_EQ(Said(rule, facts), "no sync has succeeded for 20m (limit 15m)");
  facts.last_success = kNow - absl::Minutes(6);
  EXPECT_EQ(Said(rule, facts), "nothing");
  rule.age = absl::InfiniteDuration();  // stale_for: schedule
  EXPECT_EQ(Said(rule, facts), "no sync has succeeded for 6m (limit 5m)");
  facts.stale_after = absl::InfiniteDuration();  // a manual connection
  EXPECT_EQ(Said(rule, facts), "nothing");
}

TEST(AlertJudge, ErrorRateNeedsEnoughSyncs) {
  AlertRule rule = Rule(AlertCondition::kErrorRateOver);
  rule.over = 0.2;
  rule.at_least = 3;
  AlertFacts facts;
  EXPECT_EQ(Said(rule, facts), "nothing");
  facts.sums.ended = 2;
  facts.sums.failed = 2;
  EXPECT_EQ(Said(rule, facts), "nothing");
  facts.sums.ended = 10;
  EXPECT_EQ(Said(rule, facts), "nothing");  // exactly the limit
  facts.sums.failed = 3;
  EXPECT_EQ(Said(rule, facts), "3 of 10 syncs failed within 1h (limit 20 %)");
}

TEST(AlertJudge, Counts) {
  AlertFacts facts;
  facts.sums.conflicts = 1;
  facts.sums.dead_letters = 101;
  facts.authentication_failures = 21;
  AlertRule rule = Rule(AlertCondition::kConflictsOver);
  EXPECT_EQ(Said(rule, facts), "1 conflicts within 1h (limit 0)");
  rule.over = 1;
  EXPECT_EQ(Said(rule, facts), "nothing");
  rule = Rule(AlertCondition::kDeadLettersOver);
  rule.over = 100;
  EXPECT_EQ(Said(rule, facts), "101 dead letters within 1h (limit 100)");
  rule = Rule(AlertCondition::kAuthenticationFailuresOver);
  rule.over = 20;
  EXPECT_EQ(Said(rule, facts), "21 refused callers within 1h (limit 20)");
}

TEST(AlertJudge, DurationsAreShort) {
  EXPECT_EQ(DurationText(absl::Milliseconds(45'600)), "45s");
  EXPECT_EQ(DurationText(absl::Minutes(125) + absl::Seconds(7)), "2h5m");
  EXPECT_EQ(DurationText(absl::Hours(50)), "2d2h");
  EXPECT_EQ(DurationText(absl::Hours(72)), "3d");
  EXPECT_EQ(DurationText(-absl::Seconds(1)), "0");
}

}  // namespace
}  // namespace tidemark
