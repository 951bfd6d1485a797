// The channels that alerts go to: a webhook, a command, the log.
#ifndef TIDEMARK_WEB_ALERT_CHANNELS_H_
#define TIDEMARK_WEB_ALERT_CHANNELS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "control/log.h"
#include "control/redaction.h"
#include "core/clock.h"
#include "web/alert_notice.h"
#include "web/alert_rules.h"

namespace tidemark {

// An HTTP POST of NoticeJson(), over HTTPS (or plain HTTP to a literal loopback address). No
// redirect is followed, no proxy is used, and the address that the name resolved to is judged by
// web/address_range.h when the socket is opened, so that a name cannot change between a check and
// its use. Headers:
//   Tidemark-Notice: the notice's id
//   Tidemark-Signature: t=UNIX SECONDS,v1=HMAC-SHA256 in hexadecimal, when there is a secret
std::unique_ptr<AlertChannel> MakeWebhookChannel(WebhookSettings settings, Clock* clock);

// A program, without a shell: NoticeJson() and a newline on its standard input, in the environment
// PATH, LANG, TIDEMARK_EVENT, TIDEMARK_RULE, TIDEMARK_CONNECTION and what the settings add. Its
// group is killed after the timeout. What it writes to standard error stands, redacted, in the
// error when it fails.
std::unique_ptr<AlertChannel> MakeCommandChannel(CommandSettings settings,
                                                 const Redactor* redactor);

// One line of the log: critical as error, others as warning, recoveries as info.
std::unique_ptr<AlertChannel> MakeLogChannel(Log* log);

// The v1 part of the signature: of "TIME.BODY".
std::string WebhookSignature(absl::string_view secret, int64_t unix_seconds,
                             absl::string_view body);

// What is wrong with a webhook's address: no URL, another scheme than https, http to what is not
// written as a loopback address, a login in it, a literal address of a range that is not allowed.
absl::Status CheckWebhookUrl(const WebhookSettings& settings);
// "https://hooks.example.com": what may be shown of it.
std::string ShownUrl(const std::string& url);

}  // namespace tidemark

#endif  // TIDEMARK_WEB_ALERT_CHANNELS_H_
