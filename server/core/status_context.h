// Context and retry hints on absl::Status (quality.md section 2: context once per layer).
#ifndef TIDEMARK_CORE_STATUS_CONTEXT_H_
#define TIDEMARK_CORE_STATUS_CONTEXT_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark {

// "context: message", the same code and payloads. OK stays OK.
absl::Status WithContext(absl::string_view context, const absl::Status& status);

// The wait a source asked for before the next attempt (Retry-After), travelling as a payload.
absl::Status WithRetryAfter(const absl::Status& status, absl::Duration wait);
std::optional<absl::Duration> RetryAfter(const absl::Status& status);

// Somebody else works on the connection, here or on another machine; the text says who and since
// when. Code and text stay.
absl::Status AsHeldElsewhere(absl::Status status);
bool IsHeldElsewhere(const absl::Status& status);

// UNAVAILABLE, RESOURCE_EXHAUSTED, ABORTED, DEADLINE_EXCEEDED: worth another attempt
// (plugin_abi.md section 1, "Errors").
bool IsTransient(const absl::Status& status);
// UNAUTHENTICATED or PERMISSION_DENIED: exit code 4.
bool IsAuthentication(const absl::Status& status);

}  // namespace tidemark

#endif  // TIDEMARK_CORE_STATUS_CONTEXT_H_
