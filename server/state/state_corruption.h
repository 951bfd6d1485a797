// The 14 classes of damage that a state can have, and what to do about each.
#ifndef TIDEMARK_STATE_STATE_CORRUPTION_H_
#define TIDEMARK_STATE_STATE_CORRUPTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tidemark {

enum class CorruptionClass : int {
  kUnreadableVersion = 1,  // a version or an entry's current row does not verify
  kStateLost = 2,          // rows are there, their state is not
  kStoreMalformed = 3,     // the store itself cannot be read
  kStoreBehind = 4,        // older than what the destination knows
  kStoreAhead = 5,         // newer than the destination's rows
  kGapOrFork = 6,          // versions are missing, or two histories of one entry
  kPositionGone = 7,       // the source cannot go on from there
  kSourceReplaced = 8,     // it is another source
  kFuturePosition = 9,     // a position or time that cannot be yet
  kNewerFormat = 10,       // written by a newer engine or connector
  kDiskFull = 11,
  kWorkersDiverged = 12,  // another worker wrote meanwhile
  kTableAltered = 13,     // a table or column of the destination is gone
  kRowsDiffer = 14,       // sampled rows are not those of the source
};

// "position not in the source any more", ...
absl::string_view CorruptionName(CorruptionClass corruption);
// What the user can do, as a sentence without its full stop.
absl::string_view CorruptionRemedy(CorruptionClass corruption);

enum class StateLevel { kL0, kL1, kL2, kL3, kL4 };
// "L0".
absl::string_view StateLevelName(StateLevel level);
// "versions, hashes and chain", ...
absl::string_view StateLevelMeaning(StateLevel level);

// One thing that is wrong.
struct StateFinding {
  CorruptionClass corruption = CorruptionClass::kUnreadableVersion;
  StateLevel level = StateLevel::kL0;
  std::string entry;
  int64_t version = 0;    // 0: not of one version
  std::string sentence;   // what is wrong and where, without its full stop
  std::string remedy;     // empty: CorruptionRemedy
  bool harmless = false;  // worth a line, stops nothing
};

// "class 1 (unreadable state version): SENTENCE".
std::string DescribeFinding(const StateFinding& finding);

// DATA_LOSS with "state damaged, class N (NAME): SENTENCE; REMEDY", and the class as a payload.
absl::Status CorruptionError(const StateFinding& finding);
// Marks an error with its class; text and code stay.
absl::Status WithCorruption(absl::Status status, CorruptionClass corruption);
std::optional<CorruptionClass> CorruptionOf(const absl::Status& status);

// An error of the destination at a commit, with its class where it is one: 11 (disk full), 12
// (FENCED or DIVERGED). The code stays; what to do stands in the text already.
absl::Status ClassifyCommitError(const absl::Status& status);

// A connector's refusal to go on from `entries` (L2), as class 7, 8 or 10 by its code:
// OUT_OF_RANGE, NOT_FOUND and DATA_LOSS say that it cannot go on from there, FAILED_PRECONDITION
// that the source is another one, INVALID_ARGUMENT that the state is of a format it does not know.
// Any other code is no verdict: the status stays as it is.
absl::Status RefusalError(const absl::Status& verdict, const std::vector<std::string>& entries);
// The entries of a RefusalError.
std::vector<std::string> RefusedEntries(const absl::Status& status);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_STATE_CORRUPTION_H_
