#include "rest/request_time.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark::rest {

absl::Status CheckTimeFormat(absl::string_view format) {
  const bool known = format.empty() || format == "iso" || format == "epoch_seconds" ||
                     format == "epoch_milliseconds" || absl::StrContains(format, '%') ||
                     cursors::ParsePrecision(format).has_value();
  if (known) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("\"", format, "\" is none of iso, days, seconds, milliseconds, microseconds, ",
                   "epoch_seconds, epoch_milliseconds and has no % as strftime takes it"));
}

EpochUnit UnitOfFormat(absl::string_view format) {
  if (format == "epoch_seconds") return EpochUnit::kSeconds;
  return format == "epoch_milliseconds" ? EpochUnit::kMilliseconds : EpochUnit::kNone;
}

cursors::Precision PrecisionOfFormat(absl::string_view format, cursors::Precision otherwise) {
  if (format == "epoch_seconds") return cursors::Precision::kSecond;
  if (format == "epoch_milliseconds") return cursors::Precision::kMillisecond;
  return cursors::ParsePrecision(format).value_or(otherwise);
}

std::string FormatRequestTime(absl::Time time, const std::string& format,
                              cursors::Precision precision) {
  if (format == "epoch_seconds") return absl::StrCat(absl::ToUnixSeconds(time));
  if (format == "epoch_milliseconds") return absl::StrCat(absl::ToUnixMillis(time));
  if (absl::StrContains(format, '%')) return absl::FormatTime(format, time, absl::UTCTimeZone());
  return cursors::FormatTime(time, PrecisionOfFormat(format, precision));
}

}  // namespace tidemark::rest
