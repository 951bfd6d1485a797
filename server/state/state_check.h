// Says what is wrong with a stored state: L0, L1 and L3 of semantics.md section 7 over every entry
// of a StateStore. Reads only.
#ifndef TIDEMARK_STATE_STATE_CHECK_H_
#define TIDEMARK_STATE_STATE_CHECK_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "state/state_corruption.h"
#include "state/state_store.h"

namespace tidemark {

// What the destination knows about the state from elsewhere: the report of the last sync that
// ended, and whether anything was ever synced.
struct StateEvidence {
  struct Entry {
    std::string entry;
    int64_t version = 0;  // after that sync
  };
  bool synced = false;  // rows of this connection are there
  std::string sync_id;
  std::vector<Entry> entries;
  // Syncs that wrote here, the newest ones; empty: not known. A version of another sync is of
  // another history.
  std::vector<std::string> syncs;

  bool KnowsSync(const std::string& id) const;
};

struct StateCheckOptions {
  int64_t now_us = 0;  // Unix microseconds UTC
  // How far a time of the state may lie in the future: clocks differ, and local times without an
  // offset are read as UTC.
  int64_t skew_us = int64_t{24} * 3600 * 1'000'000;
  StateEvidence evidence;
};

// One stored version without its body.
struct VersionMark {
  int64_t version = 0;
  int64_t parent = 0;
  int64_t epoch = 0;
  StateKind kind = StateKind::kNormal;
  std::string prev_chain;
  std::string chain;
  std::string cursor;
  std::string sync_id;
  int64_t watermark_us = kNoTime;
  int64_t created_at_us = 0;
  bool empty = false;   // neither body nor cursor
  bool intact = false;  // it can be read, and its hashes are right
};

struct EntryCheck {
  StateHead head;
  std::vector<VersionMark> versions;  // as stored, ascending
  // The run of versions [first, last] that verifies and that a repair keeps; unset when no version
  // is intact. Indexes of `versions`.
  bool usable = false;
  size_t first = 0;
  size_t last = 0;
  // The head row names exactly versions[last], the run is the whole history, and nothing else is
  // wrong at L0.
  bool sound = false;
};

struct StateCheck {
  absl::Status store;  // of reading it: NOT_FOUND, DATA_LOSS, FAILED_PRECONDITION, ...
  std::vector<EntryCheck> entries;
  std::vector<StateFinding> findings;

  // The first finding that is not harmless, or null.
  const StateFinding* Worst() const;
  bool ok() const { return Worst() == nullptr; }
};

// The versions are read once, one body in memory at a time. An error of the store becomes a finding
// where it is one of the 14 classes; `store` keeps it in any case.
StateCheck CheckState(StateStore& store, const StateCheckOptions& options);

// Whether a readable position lies beyond `limit_us`. Positions that are no times never do.
bool CursorAfter(absl::string_view cursor, int64_t limit_us);

// "connection-wide entry" or "entry \"orders\"".
std::string DescribeEntry(absl::string_view entry);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_STATE_CHECK_H_
