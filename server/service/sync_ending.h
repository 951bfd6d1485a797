// From how a sync ended to its entry in the history.
#ifndef TIDEMARK_SERVICE_SYNC_ENDING_H_
#define TIDEMARK_SERVICE_SYNC_ENDING_H_

#include <string>

#include "absl/status/status.h"
#include "control/redaction.h"
#include "pipeline/sync.h"
#include "service/sync_entry.h"

namespace tidemark {

// Text (redacted, cut at 4 KiB), code, held_elsewhere and may_pass. `of_destination`: the error
// came from there and not from the source.
void SetError(const absl::Status& status, bool of_destination, const Redactor& redactor,
              SyncEntry* entry);
// Phase, counts and the first error.
void SetOutcome(const SyncOutcome& outcome, const Redactor& redactor, SyncEntry* entry);
// The line of the log.
std::string EndLine(const SyncEntry& entry);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_SYNC_ENDING_H_
