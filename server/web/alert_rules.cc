#include "web/alert_rules.h"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "control/configuration_check.h"
#include "control/configuration_keys.h"
#include "control/exit_code.h"
#include "core/duration_text.h"
#include "core/glob.h"
#include "web/alert_channels.h"

namespace tidemark {
namespace {

constexpr size_t kRules = 200;
constexpr absl::Duration kLongestTimeout = absl::Minutes(2);
constexpr absl::Duration kLongestWindow = absl::Hours(24 * 31);
constexpr const char* kLog = "log";

struct Condition {
  const char* name;
  AlertCondition condition;
  bool windowed;  // has `within`
};
constexpr Condition kConditions[] = {
    {"failed", AlertCondition::kFailed, false},
    {"lag_over", AlertCondition::kLagOver, false},
    {"stale_for", AlertCondition::kStaleFor, false},
    {"error_rate_over", AlertCondition::kErrorRateOver, true},
    {"conflicts_over", AlertCondition::kConflictsOver, true},
    {"dead_letters_over", AlertCondition::kDeadLettersOver, true},
    {"authentication_failures_over", AlertCondition::kAuthenticationFailuresOver, true},
};
constexpr const char* kNotBuilt = "slot_growth_over";

std::vector<std::string> ConditionNames() {
  std::vector<std::string> names;
  for (const Condition& row : kConditions) names.emplace_back(row.name);
  return names;
}

// Fills AlertRules from a tree whose references are resolved.
class Reader {
 public:
  Reader(AlertRules* out, std::vector<ConfigurationProblem>* problems)
      : out_(*out), problems_(*problems) {}

  void Read(const ConfigNode& root) {
    if (!CheckKeys(root, "alerts", {"channels", "rules"})) return;
    out_.channels.push_back({kLog, std::nullopt, std::nullopt});
    if (const ConfigNode* channels = root.Find("channels"); channels != nullptr) {
      ReadChannels(*channels);
    }
    if (const ConfigNode* rules = root.Find("rules"); rules != nullptr) ReadRules(*rules);
  }

 private:
  void Add(const ConfigNode& node, const std::string& path, std::string text) {
    problems_.push_back({node.line, node.column, path, std::move(text), false, problems_.size()});
  }

  // False: no map. Unknown keys are problems, and no reason to stop.
  bool CheckKeys(const ConfigNode& node, const std::string& path,
                 const std::vector<std::string>& keys) {
    if (!node.is_map()) {
      Add(node, path, absl::StrCat("expected a map with ", absl::StrJoin(keys, ", ")));
      return false;
    }
    for (const ConfigNode::Entry& entry : node.entries) {
      if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
      ConfigNode at;
      at.line = entry.line;
      at.column = entry.column;
      const std::string nearest = NearestName(entry.key, keys);
      Add(at, absl::StrCat(path, ".", entry.key),
          nearest.empty() ? absl::StrCat("unknown; allowed here: ", absl::StrJoin(keys, ", "))
                          : absl::StrCat("unknown; did you mean \"", nearest, "\"?"));
    }
    return true;
  }

  void ReadText(const ConfigNode& parent, const std::string& path, const char* key,
                std::string* out) {
    const ConfigNode* node = parent.Find(key);
    if (node == nullptr) return;
    if (!node->is_scalar() || node->text.empty()) {
      return Add(*node, absl::StrCat(path, ".", key), "expected a text");
    }
    *out = node->text;
  }

  void ReadTexts(const ConfigNode& parent, const std::string& path, const char* key,
                 std::vector<std::string>* out) {
    const ConfigNode* node = parent.Find(key);
    if (node == nullptr) return;
    const std::vector<ConfigNode> one = {*node};
    const std::vector<ConfigNode>& items = node->is_list() ? node->items : one;
    for (const ConfigNode& item : items) {
      if (item.is_scalar() && !item.text.empty()) {
        out->push_back(item.text);
      } else {
        Add(item, absl::StrCat(path, ".", key), "expected a text, or a list of texts");
      }
    }
  }

  void ReadDuration(const ConfigNode& parent, const std::string& path, const char* key,
                    absl::Duration least, absl::Duration most, absl::Duration* out) {
    const ConfigNode* node = parent.Find(key);
    if (node == nullptr) return;
    const absl::StatusOr<absl::Duration> duration = ParseDuration(node->text);
    if (!node->is_scalar() || !duration.ok() || *duration < least || *duration > most) {
      return Add(*node, absl::StrCat(path, ".", key),
                 absl::StrCat("expected a duration from ", absl::FormatDuration(least), " to ",
                              absl::FormatDuration(most), ", as \"10 minutes\""));
    }
    *out = *duration;
  }

  void ReadChannels(const ConfigNode& channels) {
    if (!channels.is_map()) return Add(channels, "alerts.channels", "expected a map of channels");
    for (const ConfigNode::Entry& entry : channels.entries) {
      const std::string path = absl::StrCat("alerts.channels.", entry.key);
      if (entry.key == kLog) {
        Add(entry.value, path, "\"log\" is there by itself; choose another name");
        continue;
      }
      if (!CheckKeys(entry.value, path, {"webhook", "command"})) continue;
      const ConfigNode* webhook = entry.value.Find("webhook");
      const ConfigNode* command = entry.value.Find("command");
      AlertChannelSettings channel{entry.key, std::nullopt, std::nullopt};
      if ((webhook == nullptr) == (command == nullptr)) {
        Add(entry.value, path, "expected one of webhook and command");
      } else if (webhook != nullptr) {
        channel.webhook = ReadWebhook(*webhook, path + ".webhook");
      } else {
        channel.command = ReadCommand(*command, path + ".command");
      }
      out_.channels.push_back(std::move(channel));
    }
  }

  WebhookSettings ReadWebhook(const ConfigNode& node, const std::string& path) {
    WebhookSettings out;
    if (!CheckKeys(node, path, {"url", "secret", "allow", "ca_file", "timeout"})) return out;
    ReadText(node, path, "url", &out.url);
    ReadText(node, path, "secret", &out.secret);
    ReadText(node, path, "ca_file", &out.ca_file);
    if (!out.ca_file.empty() && access(out.ca_file.c_str(), R_OK) != 0) {
      Add(*node.Find("ca_file"), path + ".ca_file", "is no file that can be read");
    }
    std::vector<std::string> allow;
    ReadTexts(node, path, "allow", &allow);
    for (const std::string& range : allow) {
      if (range == "private") {
        out.allow_private = true;
      } else if (range == "link_local") {
        out.allow_link_local = true;
      } else if (range == "loopback") {
        out.allow_loopback = true;
      } else {
        Add(*node.Find("allow"), path + ".allow",
            absl::StrCat("\"", range, "\" is none of private, link_local, loopback"));
      }
    }
    ReadDuration(node, path, "timeout", absl::Milliseconds(100), kLongestTimeout, &out.timeout);
    if (const absl::Status url = CheckWebhookUrl(out); !url.ok()) {
      const ConfigNode* at = node.Find("url");
      Add(at == nullptr ? node : *at, path + ".url", std::string(url.message()));
    }
    return out;
  }

  CommandSettings ReadCommand(const ConfigNode& node, const std::string& path) {
    CommandSettings out;
    if (!CheckKeys(node, path, {"argv", "environment", "timeout"})) return out;
    ReadTexts(node, path, "argv", &out.argv);
    if (out.argv.empty() || out.argv[0][0] != '/') {
      Add(node, path + ".argv", "expected a list that begins with a program's whole path");
    } else if (access(out.argv[0].c_str(), X_OK) != 0) {
      Add(node, path + ".argv", absl::StrCat(out.argv[0], " is no program that can be run"));
    }
    if (const ConfigNode* environment = node.Find("environment"); environment != nullptr) {
      for (const ConfigNode::Entry& entry : environment->entries) {
        out.environment[entry.key] = entry.value.text;
        if (entry.key.empty() || absl::StrContains(entry.key, "=") || !entry.value.is_scalar()) {
          Add(entry.value, path + ".environment", "expected NAME: value");
        }
      }
      if (!environment->is_map()) Add(*environment, path + ".environment", "expected a map");
    }
    ReadDuration(node, path, "timeout", absl::Milliseconds(100), kLongestTimeout, &out.timeout);
    return out;
  }

  void ReadRules(const ConfigNode& rules) {
    if (!rules.is_list()) return Add(rules, "alerts.rules", "expected a list of rules");
    if (rules.items.size() > kRules) {
      return Add(rules, "alerts.rules", absl::StrCat("more than ", kRules, " rules"));
    }
    std::set<std::string> names;
    for (size_t i = 0; i < rules.items.size(); ++i) {
      const std::string path = absl::StrCat("alerts.rules[", i, "]");
      AlertRule rule = ReadRule(rules.items[i], path);
      if (!names.insert(rule.name).second) {
        Add(rules.items[i], path + ".name",
            absl::StrCat("a rule before is called \"", rule.name, "\" too"));
      }
      out_.rules.push_back(std::move(rule));
    }
  }

  AlertRule ReadRule(const ConfigNode& node, const std::string& path) {
    AlertRule rule;
    if (!CheckKeys(node, path,
                   {"name", "when", "connections", "channels", "severity", "for", "repeat"})) {
      return rule;
    }
    if (const ConfigNode* when = node.Find("when"); when != nullptr) {
      ReadCondition(*when, path + ".when", &rule);
    } else {
      Add(node, path + ".when",
          absl::StrCat("is missing; one of ", absl::StrJoin(ConditionNames(), ", ")));
    }
    rule.name = std::string(AlertConditionName(rule.condition));
    ReadText(node, path, "name", &rule.name);
    ReadTexts(node, path, "connections", &rule.connections);
    if (!rule.connections.empty() &&
        rule.condition == AlertCondition::kAuthenticationFailuresOver) {
      Add(*node.Find("connections"), path + ".connections",
          "does not go with authentication_failures_over, which watches the server's callers");
    }
    ReadText(node, path, "severity", &rule.severity);
    if (rule.severity != "info" && rule.severity != "warning" && rule.severity != "critical") {
      Add(*node.Find("severity"), path + ".severity", "is none of info, warning, critical");
    }
    ReadDuration(node, path, "for", absl::ZeroDuration(), kLongestWindow, &rule.hold);
    ReadDuration(node, path, "repeat", absl::Seconds(1), kLongestWindow, &rule.repeat);
    ReadTexts(node, path, "channels", &rule.channels);
    if (rule.channels.empty()) rule.channels = {kLog};
    for (const std::string& channel : rule.channels) CheckChannel(node, path, channel);
    return rule;
  }

  void CheckChannel(const ConfigNode& rule, const std::string& path, const std::string& name) {
    std::vector<std::string> names;
    names.reserve(out_.channels.size());
    for (const AlertChannelSettings& channel : out_.channels) names.push_back(channel.name);
    if (std::find(names.begin(), names.end(), name) != names.end()) return;
    Add(*rule.Find("channels"), path + ".channels",
        absl::StrCat("there is no channel \"", name, "\"; there are ", absl::StrJoin(names, ", ")));
  }

  // "failed", or a map whose one condition has a value.
  void ReadCondition(const ConfigNode& when, const std::string& path, AlertRule* rule) {
    if (when.is_scalar() && when.text == "failed") return;
    std::vector<std::string> allowed = ConditionNames();
    allowed.insert(allowed.end(), {"within", "at_least"});
    if (when.is_map() && when.Find(kNotBuilt) != nullptr) {
      return Add(when, path, absl::StrCat(kNotBuilt, " is not built yet: no source tells it"));
    }
    if (!CheckKeys(when, path, allowed)) return;
    const Condition* found = nullptr;
    for (const Condition& row : kConditions) {
      if (when.Find(row.name) == nullptr) continue;
      if (found != nullptr) return Add(when, path, "more than one condition; make a rule for each");
      found = &row;
    }
    if (found == nullptr) {
      return Add(when, path,
                 absl::StrCat("expected one of ", absl::StrJoin(ConditionNames(), ", ")));
    }
    rule->condition = found->condition;
    ReadLimit(*when.Find(found->name), absl::StrCat(path, ".", found->name), rule);
    const bool rate = found->condition == AlertCondition::kErrorRateOver;
    rule->within = rate ? absl::Hours(1) : absl::Hours(24);
    if (found->windowed) {
      ReadDuration(when, path, "within", absl::Seconds(10), kLongestWindow, &rule->within);
    } else if (const ConfigNode* node = when.Find("within"); node != nullptr) {
      Add(*node, path + ".within", absl::StrCat("does not go with ", found->name));
    }
    const ConfigNode* at_least = when.Find("at_least");
    if (at_least != nullptr && (!rate || !absl::SimpleAtoi(at_least->text, &rule->at_least))) {
      Add(*at_least, path + ".at_least",
          rate ? "expected a number" : "goes with error_rate_over only");
    }
  }

  void ReadLimit(const ConfigNode& node, const std::string& path, AlertRule* rule) {
    switch (rule->condition) {
      case AlertCondition::kFailed:
        return;
      case AlertCondition::kLagOver:
      case AlertCondition::kStaleFor: {
        if (rule->condition == AlertCondition::kStaleFor && node.text == "schedule") {
          rule->age = absl::InfiniteDuration();
          return;
        }
        const absl::StatusOr<absl::Duration> age = ParseDuration(node.text);
        if (!age.ok() || *age <= absl::ZeroDuration() || *age > kLongestWindow) {
          return Add(node, path, "expected a duration of at most 31 days, as \"15 minutes\"");
        }
        rule->age = *age;
        return;
      }
      default: {
        absl::string_view text = node.text;
        const bool percent = absl::ConsumeSuffix(&text, "%");
        const bool rate = rule->condition == AlertCondition::kErrorRateOver;
        if (!absl::SimpleAtod(absl::StripAsciiWhitespace(text), &rule->over) || rule->over < 0 ||
            (percent && !rate) ||
            rule->over > (percent ? 100
                          : rate  ? 1
                                  : 1e15)) {
          return Add(node, path, rate ? "expected a share, as \"20 %\"" : "expected a number");
        }
        if (percent) rule->over /= 100;
      }
    }
  }

  AlertRules& out_;
  std::vector<ConfigurationProblem>& problems_;
};

absl::Status ProblemsOf(const std::string& file, std::vector<ConfigurationProblem> problems) {
  if (problems.empty()) return absl::OkStatus();
  std::stable_sort(problems.begin(), problems.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  const std::string lines =
      absl::StrJoin(problems, "\n", [&](std::string* out, const ConfigurationProblem& problem) {
        absl::StrAppend(out, file, ":", problem.line, ":", problem.column, ": ", problem.path, ": ",
                        problem.text);
      });
  return AsUsage(absl::InvalidArgumentError(lines));
}

// The path and query of a webhook are often all its authentication.
void AddSecrets(const AlertRules& rules, Redactor* redactor) {
  constexpr size_t kTelling = 16;  // shorter paths are words, not secrets
  for (const AlertChannelSettings& channel : rules.channels) {
    if (!channel.webhook.has_value()) continue;
    redactor->AddSecret(channel.webhook->secret);
    absl::string_view rest = channel.webhook->url;
    rest.remove_prefix(std::min(rest.size(), rest.find("://") + 3));
    rest.remove_prefix(std::min(rest.size(), rest.find('/')));
    if (rest.size() >= kTelling) redactor->AddSecret(rest);
  }
}

}  // namespace

absl::string_view AlertConditionName(AlertCondition condition) {
  for (const Condition& row : kConditions) {
    if (row.condition == condition) return row.name;
  }
  return "";
}

bool AlertRule::Covers(absl::string_view connection) const {
  return connections.empty() ||
         std::any_of(connections.begin(), connections.end(),
                     [&](const std::string& glob) { return GlobMatches(glob, connection); });
}

absl::Duration AlertRules::Memory() const {
  absl::Duration longest = absl::ZeroDuration();
  for (const AlertRule& rule : rules) longest = std::max(longest, rule.within);
  return longest;
}

absl::StatusOr<AlertRules> LoadAlertRules(const ConfigNode& node, const std::string& file,
                                          Redactor* redactor) {
  AlertRules rules;
  std::vector<ConfigurationProblem> problems;
  Reader(&rules, &problems).Read(node);
  if (absl::Status good = ProblemsOf(file, std::move(problems)); !good.ok()) return good;
  AddSecrets(rules, redactor);
  return rules;
}

}  // namespace tidemark
