// Puts a damaged state right: first a plan, from what state_check.h found, then one atomic append.
//
// Nothing is ever deleted: versions that do not verify are set aside in the store, a version of
// kind repair (or reset) follows, and an audit record says what was found and what was done. A
// repaired state is never ahead of the destination's rows (Invariant I1): where it is older, the
// source is read again from there (Invariant I4).
#ifndef TIDEMARK_STATE_STATE_REPAIR_H_
#define TIDEMARK_STATE_STATE_REPAIR_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/checkpoint.h"
#include "state/state_check.h"
#include "state/state_store.h"

namespace tidemark {

// Current versions as some other place has them: a backup, a second store. Every version in it
// has been verified by itself.
struct StateCopy {
  struct Entry {
    std::string schema;
    std::string table;
    StateVersion version;  // with its body
  };
  std::string where;  // for people: "the backup of 2026-01-02T03:04:05Z"
  std::map<std::string, Entry> entries;
};

// The current versions of a store that verify by themselves and that its heads name.
absl::StatusOr<StateCopy> CopyOfStore(StateStore& store);
// Adds a version to a copy; false: it does not verify.
bool AddToCopy(const StateHead& head, const StateVersion& version, StateCopy* copy);

struct RepairOptions {
  bool repair = true;  // auto_repair; false: only resets
  bool reset = false;  // reset_on_corruption: begin again where nothing else is left
  // Entries to begin again whatever the check says (the source cannot resume from them).
  std::vector<std::string> begin_again;
  std::vector<StateCopy> copies;    // the most trusted first
  std::vector<std::string> tables;  // of the destination: entries to begin again when all is lost
};

enum class RepairAction {
  kKeep,        // the current version again, behind what is set aside
  kGoBack,      // an older version
  kTakeCopy,    // a version out of a copy
  kBeginAgain,  // the empty state (kind reset)
  kEmpty,       // an entry that never was: the empty state
};

// What happens to one entry.
struct RepairStep {
  StateFinding found;  // the reason
  RepairAction action = RepairAction::kKeep;
  StateHead head;       // as it is stored; version 0: there is none
  StateEntry state;     // what the new version says
  int64_t version = 0;  // number of the new version
  int64_t parent = 0;
  std::string prev_chain;
  std::vector<int64_t> set_aside;
  std::optional<std::string> anchor;
  std::string sentence;  // what is done, for people, without its full stop
};

struct StateRepairPlan {
  std::vector<RepairStep> steps;
  std::vector<StateFinding> left;  // what no step puts right
  std::string remade;  // after RepairState: what of the store was made again; empty: nothing
};

// Reads bodies only. An error: the store cannot be read.
absl::StatusOr<StateRepairPlan> PlanRepair(StateStore& store, const StateCheck& check,
                                           const StateCheckOptions& checked,
                                           const RepairOptions& options);

// What the new versions say beside their states.
struct RepairStamp {
  std::string connection;
  int64_t epoch = 0;
  int64_t now_us = 0;
  std::string sync_id;
  std::string engine;
  std::string by;  // holder text, for the audit record
};
// The appends and the audit record of each step, in order.
void MakeRepair(absl::Span<const RepairStep> steps, const RepairStamp& stamp,
                std::vector<VersionAppend>* appends, std::vector<AuditRecord>* audit);

struct RepairRequest {
  std::string connection;
  std::string engine;
  OwnershipRequest owner;
  StateCheckOptions check;
  RepairOptions repair;
  // Called as holder before anything is written; an error ends the repair. Makes a backup.
  std::function<absl::Status()> before_writing;
};

// As holder of the connection: checks again, plans, writes what the plan says, checks the result,
// and gives the connection back. FAILED_PRECONDITION: somebody else works on it. DATA_LOSS: the
// store still does not verify; what was written stays, nothing is lost.
absl::StatusOr<StateRepairPlan> RepairState(StateStore& store, const RepairRequest& request);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_STATE_REPAIR_H_
