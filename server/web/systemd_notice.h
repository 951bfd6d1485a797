// Tells systemd how the service stands (sd_notify(3); Type=notify in the unit).
#ifndef TIDEMARK_WEB_SYSTEMD_NOTICE_H_
#define TIDEMARK_WEB_SYSTEMD_NOTICE_H_

#include "absl/strings/string_view.h"

namespace tidemark {

// `state`: "READY=1", "RELOADING=1", "STOPPING=1", "STATUS=...", several by newlines. Nothing when
// $NOTIFY_SOCKET is not set; failures are ignored, as the service works without. Thread-safe.
void NotifySystemd(absl::string_view state);

}  // namespace tidemark

#endif  // TIDEMARK_WEB_SYSTEMD_NOTICE_H_
