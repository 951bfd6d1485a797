// From what a sync committed to what its report says (semantics.md section 13).
#ifndef TIDEMARK_PIPELINE_OUTCOME_H_
#define TIDEMARK_PIPELINE_OUTCOME_H_

#include "destination/destination.h"
#include "pipeline/sync_run.h"

namespace tidemark {

// The record of a sync that begins.
SyncRecord RunningRecord(const SyncRun& run);

// Fills everything of run.outcome that is known at the end only: the tables, the sums, the state,
// the last warnings and the status.
void FinishOutcome(SyncRun& run);

// The record of a sync whose outcome is finished, with its report.
SyncRecord FinishedRecord(const SyncRun& run);

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_OUTCOME_H_
