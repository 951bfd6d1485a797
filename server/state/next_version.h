// Builds the version that follows a head: numbers, hashes and chain in one place.
#ifndef TIDEMARK_STATE_NEXT_VERSION_H_
#define TIDEMARK_STATE_NEXT_VERSION_H_

#include <cstdint>
#include <string>

#include "core/checkpoint.h"
#include "state/state_store.h"
#include "state/state_version.h"

namespace tidemark {

// What the new version says beside what follows from its head.
struct NextVersion {
  StateKind kind = StateKind::kNormal;
  StateEntry state;    // body, cursor, format, watermark_us, schema, table
  int64_t parent = 0;  // 0: the head itself (its version)
  int64_t epoch = 0;
  int64_t now_us = 0;   // Unix microseconds UTC
  std::string sync_id;  // empty beside a sync
  std::string group_id;
  std::string engine;  // "tidemark 0.1.0"
};

// The append of that version after `head` (version 0: the entry's first one), ready for
// StateStore::Append. Invariant I3.
VersionAppend AppendAfter(const std::string& connection, const StateHead& head,
                          const NextVersion& next);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_NEXT_VERSION_H_
