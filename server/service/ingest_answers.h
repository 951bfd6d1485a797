// What an Ingest stream is told: why it may not begin, and how it ended. Pure functions;
// thread-safe.
#ifndef TIDEMARK_SERVICE_INGEST_ANSWERS_H_
#define TIDEMARK_SERVICE_INGEST_ANSWERS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/sync.h"
#include "service/connection_entry.h"
#include "source/push_message.h"
#include "source/push_session.h"

namespace tidemark {

// The first message of a stream is a PushStart of this version with a producer's name.
absl::Status CheckFirst(const PushMessage& first);
// The connection takes what programs push. FAILED_PRECONDITION: NOT_INGEST, CONNECTION_PAUSED or
// INVALID_CONNECTION.
absl::Status CheckPushed(const ConnectionEntry& connection);

// Reasons that come from the server.
absl::Status Fenced();         // ABORTED, FENCED
absl::Status ShuttingDown();   // UNAVAILABLE, SHUTTING_DOWN
absl::Status StreamStopped();  // ABORTED, STOPPED: somebody stopped the sync

// How the sync of a stream ended.
struct IngestEnd {
  absl::Status refused;  // why there was no sync
  absl::Status begun;    // why the sync could not begin; mostly the destination
  absl::Status error;    // of the outcome
  bool of_destination = false;
  bool interrupted = false;
  absl::Status ended_by;  // why the server ended it; OK: it did not
};
// OK: everything that was pushed before the half-close is durable, or said not to be.
absl::Status AnswerOf(const IngestEnd& end, const PushSession* session);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_INGEST_ANSWERS_H_
