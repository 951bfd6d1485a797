// What a failed call answers: an absl::Status with machine-readable parts as payloads, and the same
// as a grpc::Status with google.rpc details (proto/google/rpc/error_details.proto).
#ifndef TIDEMARK_SERVICE_CALL_ERROR_H_
#define TIDEMARK_SERVICE_CALL_ERROR_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "control/redaction.h"

namespace grpc {
class Status;
}

namespace tidemark {

using ErrorFacts = std::vector<std::pair<std::string, std::string>>;

// ErrorInfo{reason, domain: "tidemark", metadata: facts}. `reason` is UPPER_SNAKE_CASE and stable:
// clients act on it. Replaces a reason that is there already.
absl::Status WithReason(absl::Status status, absl::string_view reason,
                        const ErrorFacts& facts = {});
// The reason that was given, or empty.
std::string ReasonOf(const absl::Status& status);
// Adds to BadRequest: `field` is its path in the request. The description is the status's text.
absl::Status WithField(absl::Status status, absl::string_view field);
// INVALID_ARGUMENT "FIELD: TEXT" with both.
absl::Status BadField(absl::string_view field, absl::string_view text);

// A failure of the engine (a source, a destination, a stored state) as a call answers it.
// UNAUTHENTICATED and PERMISSION_DENIED are said of callers alone: what a source or a file refused
// is FAILED_PRECONDITION with reason SOURCE_REFUSED or FILE_REFUSED, a feature that is not built
// NOT_BUILT. What the engine said stands in the facts "code" ("UNAUTHENTICATED") and "exit_code"
// (control/exit_code.h).
absl::Status EngineError(const absl::Status& status);

// The text passes the redactor (may be null) and is cut as wire/call_status.h says. A status
// without a reason gets its code's name as one. RetryAfter() becomes RetryInfo.
grpc::Status AnswerStatus(const absl::Status& status, const Redactor* redactor);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CALL_ERROR_H_
