// A program that pushes its changes, as the source of a sync (proto/tidemark/v1/ingest.proto).
#ifndef TIDEMARK_SOURCE_PUSH_SOURCE_H_
#define TIDEMARK_SOURCE_PUSH_SOURCE_H_

#include "pipeline/change_source.h"
#include "source/push_session.h"

namespace tidemark {

// Each attempt has a source of its own, which begins again behind the last durable message: what
// was received since then is kept by the stream. `session` is borrowed.
ChangeSourceFactory PushedSource(PushSession* session);

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_PUSH_SOURCE_H_
