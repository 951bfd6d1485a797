// Alert rules and channels, as they stand in tidemarkd.yaml under `alerts`, or in the file it
// names:
//
//   channels:
//     ops:
//       webhook:
//         url: https://hooks.example.com/tidemark
//         secret: ${file:/etc/tidemark/hook.key}   # signs each notice; optional
//         allow: [private]          # private | link_local | loopback; see web/address_range.h
//         ca_file: /etc/tidemark/ca.pem            # beside the system's; optional
//         timeout: 10 seconds
//     pager:
//       command:
//         argv: [/usr/local/bin/page, --team, data]   # no shell; the notice is JSON on stdin
//         environment: {PAGER_KEY: "${env:PAGER_KEY}"}
//         timeout: 10 seconds
//   rules:
//     - name: sync failed           # default: the condition
//       when: failed                # the newest ended sync failed
//       connections: ["shop*"]      # globs, default all; not with authentication_failures_over
//       channels: [ops, log]        # default [log]; "log" is always there
//       severity: critical          # info | warning (default) | critical
//       for: 5 minutes              # how long it must hold before the first notice; default 0
//       repeat: 4 hours             # between notices of one incident; default: said once
//     - when: {lag_over: 15 minutes}
//     - when: {stale_for: 2 hours}  # or `schedule`: three times the usual pause
//     - when: {error_rate_over: 20 %, within: 1 hour, at_least: 3}   # failed of ended syncs
//     - when: {conflicts_over: 0, within: 1 day}
//     - when: {dead_letters_over: 100, within: 1 day}
//     - when: {authentication_failures_over: 20, within: 10 minutes}  # of this server's callers
#ifndef TIDEMARK_WEB_ALERT_RULES_H_
#define TIDEMARK_WEB_ALERT_RULES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "control/config_node.h"
#include "control/redaction.h"

namespace tidemark {

enum class AlertCondition {
  kFailed,
  kLagOver,
  kStaleFor,
  kErrorRateOver,
  kConflictsOver,
  kDeadLettersOver,
  kAuthenticationFailuresOver,
};
absl::string_view AlertConditionName(AlertCondition condition);  // "failed", "lag_over", ...

struct AlertRule {
  std::string name;
  AlertCondition condition = AlertCondition::kFailed;
  absl::Duration age;                    // kLagOver, kStaleFor; infinite: the schedule's
  double over = 0;                       // counts; kErrorRateOver: 0..1
  absl::Duration within;                 // the window of what is counted
  uint64_t at_least = 1;                 // kErrorRateOver: ended syncs in the window
  std::vector<std::string> connections;  // globs; empty: all
  std::vector<std::string> channels;
  std::string severity = "warning";
  absl::Duration hold = absl::ZeroDuration();
  absl::Duration repeat = absl::InfiniteDuration();

  bool Covers(absl::string_view connection) const;
};

struct WebhookSettings {
  std::string url;
  std::string secret;  // empty: notices are not signed
  bool allow_private = false;
  bool allow_link_local = false;
  bool allow_loopback = false;
  std::string ca_file;
  absl::Duration timeout = absl::Seconds(10);
  // "host:port:address" of names that are not looked up, as curl's --resolve.
  std::vector<std::string> resolve;
};

struct CommandSettings {
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;
  absl::Duration timeout = absl::Seconds(10);
};

struct AlertChannelSettings {
  std::string name;
  std::optional<WebhookSettings> webhook;
  std::optional<CommandSettings> command;  // neither: the log
};

struct AlertRules {
  std::vector<AlertRule> rules;
  std::vector<AlertChannelSettings> channels;  // "log" among them

  // The longest window or age that a rule looks back.
  absl::Duration Memory() const;
};

// `node`: the value of `alerts`, references resolved; `file`: how messages call where it stood.
// What webhook addresses and secrets hide goes to `redactor`. Every problem a line,
// "FILE:LINE:COLUMN: KEY: ..."; IsUsage() holds.
absl::StatusOr<AlertRules> LoadAlertRules(const ConfigNode& node, const std::string& file,
                                          Redactor* redactor);

}  // namespace tidemark

#endif  // TIDEMARK_WEB_ALERT_RULES_H_
