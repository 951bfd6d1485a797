// Taking state back: to a version of the past, or to the beginning. First the plan, from the
// history alone; then the versions that carry it out.
//
// A rollback never removes a version: it appends one (kind rollback) whose body is that of an
// earlier one, its parent. Inside the rollback horizon the source still has what the next sync
// reads again (Invariant I2); beyond it the source may have been told to forget, so a step there is
// not allowed.
#ifndef TIDEMARK_STATE_ROLLBACK_H_
#define TIDEMARK_STATE_ROLLBACK_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/checkpoint.h"
#include "state/history_point.h"
#include "state/state_store.h"
#include "state/state_version.h"

namespace tidemark {

// What happens to one entry.
struct StateMove {
  StateHead head;
  StateVersion from;  // the current version, with its body
  // The version gone back to, with its body; version 0: before the first one, the empty state.
  StateVersion to;
  StateKind kind = StateKind::kRollback;  // kReset for a move to the empty state
  bool moves = true;                      // false: the state is the same already
  uint64_t versions_back = 0;             // versions behind `to`
  uint64_t changes = 0;                   // changes that these counted: read again by the next sync
  // The newest version outside the horizon (0: none): the source may have forgotten what lies
  // before it.
  int64_t releasable = 0;
  bool inside_horizon = true;

  // The state that the source will be given.
  StateEntry Target() const;
};

// What each entry (only `entry` where it is set) would go back to. NOT_FOUND and INVALID_ARGUMENT
// as FindPoint says; DATA_LOSS: a stored version cannot be read.
absl::StatusOr<std::vector<StateMove>> PlanRollback(StateStore& store, const HistoryPoint& to,
                                                    const std::optional<std::string>& entry,
                                                    int64_t now_us, const RollbackHorizon& horizon);

// The same to the empty state of each entry: the next sync starts from the beginning. The horizon
// does not count: what a source still has is what the user asks for.
absl::StatusOr<std::vector<StateMove>> PlanReset(StateStore& store,
                                                 const std::optional<std::string>& entry);

// OK, or FAILED_PRECONDITION naming every entry whose step lies beyond the horizon, and what that
// means.
absl::Status CheckHorizon(absl::Span<const StateMove> moves);

// What the new versions say beside their states.
struct MoveStamp {
  std::string connection;
  int64_t epoch = 0;
  int64_t now_us = 0;
  std::string sync_id;
  std::string group_id;
  std::string engine;
};
// One append for each move that moves.
std::vector<VersionAppend> MakeMoves(absl::Span<const StateMove> moves, const MoveStamp& stamp);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_ROLLBACK_H_
