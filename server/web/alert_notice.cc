#include "web/alert_notice.h"

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "control/config_node.h"
#include "core/time_text.h"

namespace tidemark {

absl::string_view AlertEventName(AlertEvent event) {
  switch (event) {
    case AlertEvent::kFiring:
      return "firing";
    case AlertEvent::kRepeated:
      return "repeated";
    case AlertEvent::kRecovered:
      return "recovered";
  }
  return "firing";
}

std::string NoticeJson(const AlertNotice& notice) {
  const auto time = [](int64_t us) { return FormatReportTime(us); };
  return DumpJson({{"version", 1},
                   {"id", notice.id},
                   {"event", std::string(AlertEventName(notice.event))},
                   {"rule", notice.rule},
                   {"severity", notice.severity},
                   {"connection", notice.connection},
                   {"text", notice.text},
                   {"since", time(notice.since_us)},
                   {"at", time(notice.at_us)}},
                  -1);
}

std::string NoticeLine(const AlertNotice& notice) {
  return absl::StrCat("alert ", AlertEventName(notice.event), ": ", notice.rule, ": ", notice.text);
}

}  // namespace tidemark
