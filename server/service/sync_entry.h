// One sync of a server, as its history keeps it.
#ifndef TIDEMARK_SERVICE_SYNC_ENTRY_H_
#define TIDEMARK_SERVICE_SYNC_ENTRY_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "core/change_counts.h"

namespace tidemark {

// The numbers equal SyncPhase's of control.proto (SyncStatus) and are stored.
enum class SyncPhase : int { kQueued = 1, kRunning = 2, kCompleted = 3, kPartial = 4, kFailed = 5 };
inline bool HasEnded(SyncPhase phase) { return phase >= SyncPhase::kCompleted; }
// The numbers equal SyncTrigger's of control.proto and are stored.
enum class SyncTrigger : int {
  kSchedule = 1,
  kCall = 2,
  kRetry = 3,
  kIngest = 4,
  kReplay = 5,
  kRepair = 6
};

struct SyncEntry {
  std::string sync_id;
  std::string connection;
  std::string producer;  // of an Ingest stream
  SyncPhase phase = SyncPhase::kQueued;
  SyncTrigger trigger = SyncTrigger::kSchedule;
  int64_t queued_at_us = 0;
  int64_t started_at_us = 0;  // 0: not yet
  int64_t ended_at_us = 0;    // 0: not yet
  bool full = false;
  bool narrowed = false;  // asked for some tables or a time only
  ChangeCounts counts;
  uint64_t bytes = 0;
  uint64_t commits = 0;
  uint64_t retries = 0;
  std::string error;  // redacted
  absl::StatusCode error_code = absl::StatusCode::kOk;
  bool interrupted = false;
  std::string started_by;
  // Somebody else held the connection: no failure of it, tried again at the next start. Not stored.
  bool held_elsewhere = false;
  // A failure that may pass by itself. Not stored.
  bool may_pass = false;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_SYNC_ENTRY_H_
