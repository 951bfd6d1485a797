// Protocol B of semantics.md section 6: the destination's own tables are the authority, another
// store follows them. How the two stand to each other, and what brings them together again.
#ifndef TIDEMARK_STATE_STORE_COMPARISON_H_
#define TIDEMARK_STATE_STORE_COMPARISON_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "state/state_store.h"

namespace tidemark {

enum class StorePosition {
  kEqual,
  kBehind,  // the authority went on from what the store has
  kAhead,   // the store went on from what the authority has: the destination was restored
  kForked,  // both went on from a common version, or have none in common
};

// One entry in both stores.
struct EntryPosition {
  StorePosition position = StorePosition::kEqual;
  StateHead authority;  // version 0: it has no such entry
  StateHead store;      // the same
  int64_t common = 0;   // the newest version both have; 0: none
  // Versions of the store that a repair of the authority replaced, or that lie so far back that the
  // authority keeps nothing of them any more: RollForward sets them aside.
  std::vector<int64_t> replaced;
};

// Every entry of either store, in ascending order. Reads only; neither needs to be acquired. A
// store that does not exist yet has no entries.
absl::StatusOr<std::vector<EntryPosition>> CompareStores(StateStore& authority, StateStore& store);

// What is wrong, for DATA_LOSS: one sentence without its full stop, or "" when nothing is ahead or
// forked.
std::string DescribePositions(absl::Span<const EntryPosition> positions,
                              const StateStore& authority, const StateStore& store);

// Appends to `store` the versions of entries that are kBehind: the same numbers, bodies and chains,
// one atomic step per version. REQUIRES: `store` is acquired. Safe to repeat after any crash.
absl::Status RollForward(StateStore& authority, StateStore& store,
                         absl::Span<const EntryPosition> positions, const AuditRecord& audit);

// For entries that are kAhead: the authority gets a version of kind repair with its own newest body
// and a number beyond the store's, then the store sets aside what it had more and gets the same
// version. An entry that the authority does not have gets an empty body: its source starts anew.
// REQUIRES: both are acquired, `epoch` is the authority's, and the source can go on from there.
// Safe to repeat after any crash.
struct RewindRequest {
  int64_t epoch = 0;
  int64_t now_us = 0;
  std::string connection;
  std::string engine;
  std::string by;  // holder text, for the audit
};
absl::Status Rewind(StateStore& authority, StateStore& store,
                    absl::Span<const EntryPosition> positions, const RewindRequest& request);

// Gives `to`, which has no entries, everything of `from`: a destination that lost its state tables
// is rebuilt from the store. REQUIRES: `to` is acquired. ALREADY_EXISTS: it has entries.
absl::Status CopyState(StateStore& from, StateStore& to, const AuditRecord& audit);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_STORE_COMPARISON_H_
