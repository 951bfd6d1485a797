// What is asked of state at a commit, and what comes of it (semantics.md section 6).
#ifndef TIDEMARK_STATE_STATE_COMMIT_H_
#define TIDEMARK_STATE_STATE_COMMIT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/change_counts.h"
#include "core/checkpoint.h"
#include "state/state_version.h"

namespace tidemark {

struct AcquireRequest {
  std::string connection;
  std::string holder;  // for people: "tidemark run, pid 4711 on host"
  RollbackHorizon horizon;
  HistoryRetention retention;
  // Bumps the epoch whatever lock, lease or process say (`--take-over`); the old holder is fenced.
  bool take_over = false;
};

// What one commit makes of one state entry.
struct EntryCommit {
  std::string entry;
  int64_t expected_version = 0;  // compare-and-set; 0: the entry must not exist
  StateKind kind = StateKind::kNormal;
  // Unset: no checkpoint named the entry; its counts are kept with the parent's body.
  std::optional<StateEntry> state;
  ChangeCounts counts;
};

struct CommitRequest {
  std::string sync_id;
  std::string group_id;  // unique per commit; decides an unknown outcome
  std::vector<EntryCommit> entries;
  int64_t last_synced_us = 0;  // the largest kSyncedColumn written so far
};

struct CommitResult {
  std::vector<StateVersion> versions;  // as written, in the order of the request; no bodies
  std::vector<StateEntry> releasable;  // newest bodies outside the rollback horizon, changed ones
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_STATE_COMMIT_H_
