#include "web/alert_rules.h"

#include <fstream>

#include "absl/strings/str_replace.h"
#include "control/exit_code.h"
#include "control/yaml_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/destination/destination_fixture.h"

namespace tidemark {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class AlertRulesTest : public testing::Test {
 protected:
  absl::StatusOr<AlertRules> Load(const std::string& yaml) {
    const absl::StatusOr<ConfigNode> root = ParseYaml("alerts.yaml", yaml);
    if (!root.ok()) return root.status();
    return LoadAlertRules(*root, "alerts.yaml", &redactor_);
  }
  std::string Problem(const std::string& yaml) {
    const absl::StatusOr<AlertRules> rules = Load(yaml);
    EXPECT_TRUE(rules.ok() || IsUsage(rules.status())) << rules.status();
    return rules.ok() ? "none" : std::string(rules.status().message());
  }

  TemporaryFolder folder_;
  Redactor redactor_;
};

// The example of the header.
constexpr const char* kEverything = R"(
channels:
  ops:
    webhook:
      url: https://hooks.example.com/tidemark/0123456789
      secret: key of the hook
      allow: [private, link_local, loopback]
      ca_file: FOLDER/ca.pem
      timeout: 5 seconds
  pager:
    command:
      argv: [/bin/true, --team, data]
      environment: {PAGER_KEY: k1}
      timeout: 3 seconds
rules:
  - name: sync failed
    when: failed
    connections: ["shop*", crm]
    channels: [ops, log]
    severity: critical
    for: 5 minutes
    repeat: 4 hours
  - when: {lag_over: 15 minutes}
  - when: {stale_for: 2 hours}
  - name: by its schedule
    when: {stale_for: schedule}
  - when: {error_rate_over: 20 %, within: 2 hours, at_least: 3}
  - name: rate
    when: {error_rate_over: 0.5}
  - when: {conflicts_over: 0, within: 1 day}
  - when: {dead_letters_over: 100}
    channels: pager
  - when: {authentication_failures_over: 20, within: 10 minutes}
)";

TEST_F(AlertRulesTest, ReadsEverything) {
  std::ofstream(folder_ / "ca.pem") << "PEM";
  const absl::StatusOr<AlertRules> rules =
      Load(absl::StrReplaceAll(kEverything, {{"FOLDER", folder_.path()}}));
  ASSERT_TRUE(rules.ok()) << rules.status();
  ASSERT_EQ(rules->channels.size(), 3U);
  EXPECT_EQ(rules->channels[0].name, "log");
  const WebhookSettings& webhook = *rules->channels[1].webhook;
  EXPECT_EQ(webhook.url, "https://hooks.example.com/tidemark/0123456789");
  EXPECT_EQ(webhook.secret, "key of the hook");
  EXPECT_TRUE(webhook.allow_private && webhook.allow_link_local && webhook.allow_loopback);
  EXPECT_EQ(webhook.ca_file, folder_ / "ca.pem");
  EXPECT_EQ(webhook.timeout, absl::Seconds(5));
  const CommandSettings& command = *rules->channels[2].command;
  EXPECT_THAT(command.argv, ElementsAre("/bin/true", "--team", "data"));
  EXPECT_EQ(command.environment.at("PAGER_KEY"), "k1");
  EXPECT_EQ(command.timeout, absl::Seconds(3));

  ASSERT_EQ(rules->rules.size(), 9U);
  const AlertRule& failed = rules->rules[0];
  EXPECT_EQ(failed.name, "sync failed");
  EXPECT_EQ(failed.condition, AlertCondition::kFailed);
  EXPECT_TRUE(failed.Covers("shop-eu") && failed.Covers("crm") && !failed.Covers("bill"));
  EXPECT_THAT(failed.channels, ElementsAre("ops", "log"));
  EXPECT_EQ(failed.severity, "critical");
  EXPECT_EQ(failed.hold, absl::Minutes(5));
  EXPECT_EQ(failed.repeat, absl::Hours(4));
  EXPECT_EQ(rules->rules[1].name, "lag_over");
  EXPECT_EQ(rules->rules[1].age, absl::Minutes(15));
  EXPECT_EQ(rules->rules[1].severity, "warning");
  EXPECT_THAT(rules->rules[1].channels, ElementsAre("log"));
  EXPECT_EQ(rules->rules[1].repeat, absl::InfiniteDuration());
  EXPECT_EQ(rules->rules[3].age, absl::InfiniteDuration());
  EXPECT_DOUBLE_EQ(rules->rules[4].over, 0.2);
  EXPECT_EQ(rules->rules[4].at_least, 3U);
  EXPECT_DOUBLE_EQ(rules->rules[5].over, 0.5);
  EXPECT_EQ(rules->rules[5].within, absl::Hours(1));
  EXPECT_EQ(rules->rules[7].within, absl::Hours(24));
  EXPECT_EQ(rules->Memory(), absl::Hours(24));
}

TEST_F(AlertRulesTest, SecretsOfTheFileAreKnownToTheRedactor) {
  ASSERT_TRUE(Load(R"(
channels:
  ops:
    webhook: {url: "https://hooks.example.com/T0001/B0001/xyzzy", secret: a very secret word}
)")
                  .ok());
  EXPECT_EQ(redactor_.Apply("with a very secret word"), "with ***");
  EXPECT_EQ(redactor_.Apply("https://hooks.example.com/T0001/B0001/xyzzy"),
            "https://hooks.example.com***");
}

TEST_F(AlertRulesTest, MistakesAreNamedWithTheirPlace) {
  const struct {
    const char* yaml;
    const char* said;
  } kRows[] = {
      {"rules: 7", "alerts.yaml:1:8: alerts.rules: expected a list"},
      {"[]", "expected a map with channels, rules"},
      {"rulez: []", "did you mean \"rules\"?"},
      {"rules:\n  - {}", "alerts.yaml:2:5: alerts.rules[0].when: is missing; one of failed"},
      {"rules: [{when: filed}]", "expected a map"},
      {"rules: [{when: {}}]", "expected one of failed, lag_over"},
      {"rules: [{when: {lag: 1h}}]", "alerts.rules[0].when.lag"},
      {"rules: [{when: {lag_over: 1h, stale_for: 1h}}]", "more than one condition"},
      {"rules: [{when: {lag_over: soon}}]", "expected a duration"},
      {"rules: [{when: {lag_over: -5 minutes}}]", "expected a duration"},
      {"rules: [{when: {lag_over: 1h, within: 1h}}]", "within: does not go with lag_over"},
      {"rules: [{when: {conflicts_over: many}}]", "expected a number"},
      {"rules: [{when: {conflicts_over: 5 %}}]", "expected a number"},
      {"rules: [{when: {conflicts_over: -1}}]", "expected a number"},
      {"rules: [{when: {error_rate_over: 2}}]", "expected a share"},
      {"rules: [{when: {error_rate_over: 101 %}}]", "expected a share"},
      {"rules: [{when: {conflicts_over: 1, at_least: 2}}]", "error_rate_over only"},
      {"rules: [{when: {conflicts_over: 1, within: 1s}}]", "expected a duration from 10s"},
      {"rules: [{when: {slot_growth_over: 1 GiB}}]", "slot_growth_over is not built yet"},
      {"rules: [{when: failed, severity: bad}]", "none of info, warning, critical"},
      {"rules: [{when: failed, repeat: 0s}]", "expected a duration"},
      {"rules: [{when: failed, channels: [ops]}]", "there is no channel \"ops\"; there are log"},
      {"rules: [{when: failed}, {when: failed}]", "is called \"failed\" too"},
      {"rules: [{when: {authentication_failures_over: 1}, connections: [a]}]", "does not go with"},
      {"channels: {log: {}}", "\"log\" is there by itself"},
      {"channels: {ops: {}}", "expected one of webhook and command"},
      {"channels: {ops: {webhook: {url: 'https://a.b/'}, command: {argv: [/bin/true]}}}",
       "expected one of webhook and command"},
      {"channels: {ops: {webhook: {}}}", "no URL"},
      {"channels: {ops: {webhook: {url: 'http://a.b/'}}}", "must be https"},
      {"channels: {ops: {webhook: {url: 'https://10.0.0.1/'}}}", "allow: [private]"},
      {"channels: {ops: {webhook: {url: 'https://a.b/', allow: [everything]}}}", "is none of"},
      {"channels: {ops: {webhook: {url: 'https://a.b/', timeout: 1 hour}}}", "to 2m"},
      {"channels: {ops: {webhook: {url: 'https://a.b/', ca_file: /no/such}}}", "no file"},
      {"channels: {ops: {command: {argv: [page]}}}", "whole path"},
      {"channels: {ops: {command: {argv: []}}}", "whole path"},
      {"channels: {ops: {command: {argv: [/no/such/program]}}}", "no program that can be run"},
      {"channels: {ops: {command: {argv: [/bin/true], environment: {'A=B': c}}}}", "NAME: value"},
  };
  for (const auto& row : kRows) {
    EXPECT_THAT(Problem(row.yaml), HasSubstr(row.said)) << row.yaml;
  }
}

TEST_F(AlertRulesTest, EveryMistakeIsSaidAtOnceAndNoAddress) {
  const std::string said = Problem(
      "channels:\n  ops: {webhook: {url: 'http://hooks.example.com/T0001/xyzzy'}}\n"
      "rules:\n  - {when: {lag_over: x}}\n  - {when: nothing}\n");
  EXPECT_THAT(said, HasSubstr("alerts.yaml:2:"));
  EXPECT_THAT(said, HasSubstr("alerts.yaml:4:"));
  EXPECT_THAT(said, HasSubstr("alerts.yaml:5:"));
  EXPECT_THAT(said, Not(HasSubstr("xyzzy")));
}

}  // namespace
}  // namespace tidemark
