// Whether a rule's condition holds for a connection, and why.
#ifndef TIDEMARK_WEB_ALERT_JUDGE_H_
#define TIDEMARK_WEB_ALERT_JUDGE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "web/alert_history.h"
#include "web/alert_rules.h"

namespace tidemark {

// What is known of one connection (or, for authentication failures, of the server) now.
struct AlertFacts {
  bool paused = false;
  absl::Time known_since;                   // when the connection's definition was written
  absl::Duration stale_after;               // of its schedule; may be infinite
  std::optional<absl::Time> up_to_date;     // Metrics::UpToDate()
  std::optional<absl::Time> last_success;   // when a sync ended that did not fail
  std::optional<std::string> last_failure;  // error of the newest ended sync, when it failed
  AlertSums sums;                           // within AlertRule::within
  uint64_t authentication_failures = 0;     // within AlertRule::within
};

// The text of the alert while the condition holds; nullopt: it does not. A paused connection is
// neither stale nor behind: somebody wanted it so.
std::optional<std::string> Judge(const AlertRule& rule, const AlertFacts& facts, absl::Time now);

// "2h5m", "45s": a duration in seconds, at most two units.
std::string DurationText(absl::Duration duration);

}  // namespace tidemark

#endif  // TIDEMARK_WEB_ALERT_JUDGE_H_
