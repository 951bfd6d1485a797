#include "web/alert_judge.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

std::optional<std::string> JudgeCount(const AlertRule& rule, uint64_t count, const char* what) {
  if (static_cast<double>(count) <= rule.over) return std::nullopt;
  return absl::StrCat(count, " ", what, " within ", DurationText(rule.within), " (limit ",
                      rule.over, ")");
}

std::optional<std::string> JudgeLag(const AlertRule& rule, const AlertFacts& facts,
                                    absl::Time now) {
  if (facts.paused || !facts.up_to_date.has_value()) return std::nullopt;
  const absl::Duration lag = now - *facts.up_to_date;
  if (lag <= rule.age) return std::nullopt;
  return absl::StrCat("the destination is ", DurationText(lag), " behind its source (limit ",
                      DurationText(rule.age), ")");
}

std::optional<std::string> JudgeAge(const AlertRule& rule, const AlertFacts& facts,
                                    absl::Time now) {
  if (facts.paused) return std::nullopt;
  const absl::Duration limit = rule.age == absl::InfiniteDuration() ? facts.stale_after : rule.age;
  // A connection that was never synced counts from its definition.
  const absl::Duration age = now - facts.last_success.value_or(facts.known_since);
  if (age <= limit) return std::nullopt;
  return absl::StrCat("no sync has succeeded for ", DurationText(age), " (limit ",
                      DurationText(limit), ")");
}

std::optional<std::string> JudgeRate(const AlertRule& rule, const AlertSums& sums) {
  if (sums.ended == 0 || sums.ended < rule.at_least) return std::nullopt;
  const double rate = static_cast<double>(sums.failed) / static_cast<double>(sums.ended);
  if (rate <= rule.over) return std::nullopt;
  return absl::StrCat(sums.failed, " of ", sums.ended, " syncs failed within ",
                      DurationText(rule.within), " (limit ", std::round(rule.over * 1000) / 10,
                      " %)");
}

}  // namespace

std::optional<std::string> Judge(const AlertRule& rule, const AlertFacts& facts, absl::Time now) {
  switch (rule.condition) {
    case AlertCondition::kFailed:
      if (!facts.last_failure.has_value()) return std::nullopt;
      return facts.last_failure->empty()
                 ? "the last sync failed"
                 : absl::StrCat("the last sync failed: ", *facts.last_failure);
    case AlertCondition::kLagOver:
      return JudgeLag(rule, facts, now);
    case AlertCondition::kStaleFor:
      return JudgeAge(rule, facts, now);
    case AlertCondition::kErrorRateOver:
      return JudgeRate(rule, facts.sums);
    case AlertCondition::kConflictsOver:
      return JudgeCount(rule, facts.sums.conflicts, "conflicts");
    case AlertCondition::kDeadLettersOver:
      return JudgeCount(rule, facts.sums.dead_letters, "dead letters");
    case AlertCondition::kAuthenticationFailuresOver:
      return JudgeCount(rule, facts.authentication_failures, "refused callers");
  }
  return std::nullopt;
}

std::string DurationText(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "ever";
  duration = std::max(absl::Trunc(duration, absl::Seconds(1)), absl::ZeroDuration());
  if (duration < absl::Hours(48)) {
    if (duration >= absl::Hours(1)) duration = absl::Trunc(duration, absl::Minutes(1));
    return absl::FormatDuration(duration);
  }
  const int64_t hours = absl::ToInt64Hours(duration);
  return absl::StrCat(hours / 24, "d", hours % 24 == 0 ? "" : absl::StrCat(hours % 24, "h"));
}

}  // namespace tidemark
