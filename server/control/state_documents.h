// What stands in a stored state, and what would be changed in it, as JSON: the documents of
// `tidemark state ... --json` and of the service. Pure functions; texts are not redacted.
#ifndef TIDEMARK_CONTROL_STATE_DOCUMENTS_H_
#define TIDEMARK_CONTROL_STATE_DOCUMENTS_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "control/state_backups.h"
#include "control/state_operations.h"
#include "control/state_validation.h"
#include "destination/destination_reader.h"
#include "nlohmann/json.hpp"
#include "state/state_diff.h"
#include "state/state_version.h"

namespace tidemark {

// Without its body.
nlohmann::ordered_json StateVersionJson(const StateVersion& version);
// The body as text; bytes that are no UTF-8 as "0x" and hexadecimal digits.
std::string StateBodyText(const StateVersion& version);

// One entry at two points of the history; null: it did not exist then.
struct StatePair {
  std::string entry;
  const StateVersion* from = nullptr;
  const StateVersion* to = nullptr;
};
// In the order of `from`, then what is in `to` alone. Borrows both.
std::vector<StatePair> PairStates(absl::Span<const StateVersion> from,
                                  absl::Span<const StateVersion> to);
std::vector<StateChange> DiffOfPair(const StatePair& pair);
nlohmann::ordered_json StatePairJson(const StatePair& pair,
                                     const std::vector<StateChange>& changes);

// What the next sync does about a move, a sentence without its full stop.
std::string NextSyncText(const StateMove& move);
// {"connection", "plan": [..]} of a rollback, a reset or a migration, and of an import.
nlohmann::ordered_json MovesJson(const std::string& connection, absl::Span<const StateMove> moves);
nlohmann::ordered_json ImportPlanJson(const std::string& connection,
                                      absl::Span<const StateMove> moves);
nlohmann::ordered_json RestorePlanJson(const StateBackup& backup,
                                       const std::vector<RestoreStep>& steps);
bool NothingMoves(absl::Span<const StateMove> moves);
nlohmann::ordered_json SourceAnswerJson(const SourceAnswer& answer);
// Adds "done", and "warning" where there is one.
void AddWritten(const StateWritten& written, nlohmann::ordered_json* json);

// "ok", "FAILED" or "not possible".
std::string VerdictWord(LevelVerdict::Result result);
bool IsValid(const FullValidation& validation);
nlohmann::ordered_json ValidationJson(const std::string& connection,
                                      const FullValidation& validation);
nlohmann::ordered_json FindingJson(const StateFinding& finding);
nlohmann::ordered_json RepairStepJson(const RepairStep& step);

nlohmann::ordered_json DeadLetterJson(const StoredDeadLetter& letter);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_STATE_DOCUMENTS_H_
