#include "control/exit_code.h"

#include "absl/strings/cord.h"
#include "core/status_context.h"

namespace tidemark {
namespace {

constexpr char kUsagePayload[] = "tidemark/usage";
constexpr char kLocalPayload[] = "tidemark/local";

}  // namespace

absl::Status AsUsage(absl::Status status) {
  if (!status.ok()) status.SetPayload(kUsagePayload, absl::Cord("1"));
  return status;
}

bool IsUsage(const absl::Status& status) { return status.GetPayload(kUsagePayload).has_value(); }

absl::Status AsLocal(absl::Status status) {
  if (!status.ok()) status.SetPayload(kLocalPayload, absl::Cord("1"));
  return status;
}

bool IsLocal(const absl::Status& status) { return status.GetPayload(kLocalPayload).has_value(); }

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return ExitCode::kDone;
  if (IsUsage(status)) return ExitCode::kUsage;
  if (IsLocal(status)) return ExitCode::kFailed;
  return IsAuthentication(status) ? ExitCode::kAuthentication : ExitCode::kFailed;
}

ExitCode ExitCodeOf(const SyncOutcome& outcome) {
  if (outcome.interrupted) return ExitCode::kInterrupted;
  switch (outcome.status) {
    case SyncStatus::kCompleted:
      return ExitCode::kDone;
    case SyncStatus::kPartial:
      return ExitCode::kPartial;
    case SyncStatus::kFailed:
      break;
  }
  if (outcome.error_of_destination) return ExitCode::kFailed;
  const ExitCode code = ExitCodeOf(outcome.error);
  return code == ExitCode::kDone ? ExitCode::kFailed : code;
}

}  // namespace tidemark
