#include "core/status_context.h"

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

constexpr char kRetryAfter[] = "tidemark.retry_after_us";
constexpr char kHeldElsewhere[] = "tidemark.held_elsewhere";

}  // namespace

absl::Status WithContext(absl::string_view context, const absl::Status& status) {
  if (status.ok()) return status;
  absl::Status result(status.code(), absl::StrCat(context, ": ", status.message()));
  status.ForEachPayload([&result](absl::string_view type, const absl::Cord& payload) {
    result.SetPayload(type, payload);
  });
  return result;
}

absl::Status WithRetryAfter(const absl::Status& status, absl::Duration wait) {
  absl::Status result = status;
  if (!result.ok()) {
    result.SetPayload(kRetryAfter, absl::Cord(absl::StrCat(absl::ToInt64Microseconds(wait))));
  }
  return result;
}

std::optional<absl::Duration> RetryAfter(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryAfter);
  int64_t us = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &us)) return std::nullopt;
  return absl::Microseconds(us);
}

absl::Status AsHeldElsewhere(absl::Status status) {
  if (!status.ok()) status.SetPayload(kHeldElsewhere, absl::Cord("1"));
  return status;
}

bool IsHeldElsewhere(const absl::Status& status) {
  return status.GetPayload(kHeldElsewhere).has_value();
}

bool IsTransient(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    default:
      return false;
  }
}

bool IsAuthentication(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnauthenticated ||
         status.code() == absl::StatusCode::kPermissionDenied;
}

}  // namespace tidemark
