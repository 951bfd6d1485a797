#include "service/sync_ending.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "control/exit_code.h"
#include "core/status_context.h"

namespace tidemark {
namespace {

constexpr size_t kErrorBytes = 4096;

std::string Shortened(std::string text) {
  if (text.size() > kErrorBytes) {
    text.resize(kErrorBytes);
    text += "...";
  }
  return text;
}

// Whether the same again may go well without anybody doing anything. A destination's disk may be
// mounted again; a refused password stays refused.
bool MayPass(const absl::Status& status, bool of_destination) {
  if (IsUsage(status)) return false;
  switch (status.code()) {
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return true;
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
      return of_destination || IsLocal(status);
    default:
      return IsTransient(status);
  }
}

}  // namespace

void SetError(const absl::Status& status, bool of_destination, const Redactor& redactor,
              SyncEntry* entry) {
  entry->may_pass = MayPass(status, of_destination);
  entry->error = Shortened(redactor.Apply(status.message()));
  entry->error_code = status.code();
  entry->held_elsewhere = IsHeldElsewhere(status);
  if (entry->held_elsewhere) entry->error_code = absl::StatusCode::kUnavailable;
}

void SetOutcome(const SyncOutcome& outcome, const Redactor& redactor, SyncEntry* entry) {
  switch (outcome.status) {
    case SyncStatus::kCompleted:
      entry->phase = SyncPhase::kCompleted;
      break;
    case SyncStatus::kPartial:
      entry->phase = SyncPhase::kPartial;
      break;
    case SyncStatus::kFailed:
      entry->phase = SyncPhase::kFailed;
      break;
  }
  entry->counts = outcome.counts;
  entry->bytes = outcome.bytes;
  entry->commits = outcome.commits;
  entry->retries = outcome.retries;
  entry->interrupted = outcome.interrupted;
  if (!outcome.error.ok()) {
    SetError(outcome.error, outcome.error_of_destination, redactor, entry);
  }
}

std::string EndLine(const SyncEntry& entry) {
  const double seconds = static_cast<double>(entry.ended_at_us - entry.started_at_us) / 1e6;
  const char* const how = entry.phase == SyncPhase::kCompleted ? "completed"
                          : entry.phase == SyncPhase::kPartial ? "ended partially"
                                                               : "failed";
  std::string line = absl::StrCat(
      "sync ", how, " after ",
      absl::FormatDuration(absl::Milliseconds(static_cast<int64_t>(std::max(0.0, seconds) * 1000))),
      ": ", entry.counts.inserted, " inserted, ", entry.counts.updated, " updated, ",
      entry.counts.deleted, " deleted, ", entry.commits, " commits");
  if (entry.interrupted) absl::StrAppend(&line, ", interrupted");
  if (!entry.error.empty()) absl::StrAppend(&line, ": ", entry.error);
  return line;
}

}  // namespace tidemark
