// Times as an API wants them in its parameters.
#ifndef TIDEMARK_REST_REQUEST_TIME_H_
#define TIDEMARK_REST_REQUEST_TIME_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cursors/time_text.h"
#include "rest/row_conversion.h"

namespace tidemark::rest {

// The formats: "" or "iso" (as precise as the API's own times), "days", "seconds",
// "milliseconds", "microseconds" (ISO 8601, that precise), "epoch_seconds", "epoch_milliseconds",
// and anything with a % as strftime takes it, in UTC.
absl::Status CheckTimeFormat(absl::string_view format);
EpochUnit UnitOfFormat(absl::string_view format);
// How precise texts of the format are; `otherwise` for "iso" and strftime.
cursors::Precision PrecisionOfFormat(absl::string_view format, cursors::Precision otherwise);

std::string FormatRequestTime(absl::Time time, const std::string& format,
                              cursors::Precision precision);

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_REQUEST_TIME_H_
