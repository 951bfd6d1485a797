// What an alert says, and to whom it is given.
#ifndef TIDEMARK_WEB_ALERT_NOTICE_H_
#define TIDEMARK_WEB_ALERT_NOTICE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tidemark {

// The numbers are stored.
enum class AlertEvent : int { kFiring = 1, kRepeated = 2, kRecovered = 3 };
absl::string_view AlertEventName(AlertEvent event);  // "firing", "repeated", "recovered"

struct AlertNotice {
  std::string id;  // the same for every attempt to deliver it
  AlertEvent event = AlertEvent::kFiring;
  std::string rule;
  std::string severity;    // info, warning, critical
  std::string connection;  // empty: of the server
  std::string text;        // redacted
  int64_t since_us = 0;    // when the incident began
  int64_t at_us = 0;       // when this was noticed
};

// One JSON object on one line: {"version": 1, "id", "event", "rule", "severity", "connection",
// "text", "since", "at"}, times in RFC 3339.
std::string NoticeJson(const AlertNotice& notice);
// "firing: sync failed: ...", for a log.
std::string NoticeLine(const AlertNotice& notice);

// Where notices go. Confined to one thread.
class AlertChannel {
 public:
  virtual ~AlertChannel() = default;

  // Gives the notice away; blocks for at most the channel's timeout. UNAVAILABLE and
  // DEADLINE_EXCEEDED: to be tried again. Other errors: trying again does not help. Errors hold no
  // secret, and of the address only its host.
  virtual absl::Status Send(const AlertNotice& notice) = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_WEB_ALERT_NOTICE_H_
