// One stream of Ingest as a sync.
#ifndef TIDEMARK_SERVICE_INGEST_SYNC_H_
#define TIDEMARK_SERVICE_INGEST_SYNC_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "core/clock.h"
#include "pipeline/sync.h"
#include "service/ingest_answers.h"
#include "service/sync_runner.h"
#include "source/push_message.h"
#include "source/push_session.h"
#include "source/push_stream.h"

namespace tidemark {

// All pointers are borrowed.
struct IngestSync {
  SyncRunner* runner = nullptr;
  PushStream* stream = nullptr;
  Clock* clock = nullptr;
  PushStart start;
  std::string started_by;
  absl::Duration idle;       // PushSession::Options
  absl::Duration open_idle;  // likewise
  // What ends the sync early, while it runs; null afterwards. Called on this thread.
  std::function<void(Interrupt*)> running;
};

struct IngestRun {
  IngestEnd end;                         // without ended_by
  std::unique_ptr<PushSession> session;  // null: there was no sync
};

// Runs it to its end on the calling thread.
IngestRun RunIngest(const IngestSync& sync);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_INGEST_SYNC_H_
