// Correcting dead letters and sending them through the pipeline again.
#ifndef TIDEMARK_CONTROL_DEAD_LETTERS_H_
#define TIDEMARK_CONTROL_DEAD_LETTERS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "control/engine.h"
#include "destination/destination_reader.h"
#include "pipeline/sync.h"

namespace tidemark {

// Puts `change` (control/change_text.h) in place of the letter's. IsUsage(): it is no change.
absl::Status EditLetter(DestinationReader& reader, int64_t id, absl::string_view change);

struct ReplayedLetters {
  SyncOutcome outcome;
  std::vector<int64_t> replayed;  // now in the destination, and marked so
  std::vector<int64_t> failed;    // refused again: one more attempt is counted
  // Letters that cannot be replayed at all (no change, a hidden value, a table not selected).
  struct Refused {
    int64_t id = 0;
    std::string reason;
  };
  std::vector<Refused> refused;
};

// One sync whose source are the letters `ids` of the engine's connection (empty: every letter that
// is new), in the order they were first seen, through the same pipeline. Older values of a letter
// replace newer ones of its row unless the table's stale guard tells them apart. An error: nothing
// began. NOT_FOUND: there is no such letter, or none that could be replayed.
absl::StatusOr<ReplayedLetters> ReplayLetters(
    Engine& engine, absl::Span<const int64_t> ids,
    const std::function<void(const SyncProgress&)>& progress, Interrupt* interrupt);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_DEAD_LETTERS_H_
