// One committed state: a row of _tidemark_state_history (semantics.md section 7).
#ifndef TIDEMARK_STATE_STATE_VERSION_H_
#define TIDEMARK_STATE_STATE_VERSION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "core/change_counts.h"
#include "core/checkpoint.h"

namespace tidemark {

enum class StateKind { kNormal, kRollback, kRepair, kReset, kMigrate, kImport, kSnapshot };
absl::string_view StateKindName(StateKind kind);  // "normal", ...
std::optional<StateKind> ParseStateKind(absl::string_view name);

struct StateVersion {
  std::string connection;
  std::string entry;    // "" (connection-wide), "table" or "schema.table"
  int64_t version = 0;  // from 1, grows by exactly one (Invariant I3)
  int64_t parent = 0;   // 0: none; else the version this one was made from
  int64_t epoch = 0;
  StateKind kind = StateKind::kNormal;
  uint32_t format = 0;
  std::string body;
  std::string body_hash;   // BLAKE2b-256 of body, raw 32 bytes
  std::string prev_chain;  // chain of version-1, raw; empty for version 1
  std::string chain;       // raw 32 bytes, see ComputeChain
  std::string sync_id;
  std::string group_id;
  ChangeCounts counts;
  std::string cursor;              // readable high-water mark (column cursor_max)
  int64_t watermark_us = kNoTime;  // Unix microseconds UTC
  int64_t created_at_us = 0;       // Unix microseconds UTC
  std::string engine;              // "tidemark 0.1.0"
};

// BLAKE2b-256 over every field above except chain, in the order of the columns of
// _tidemark_state_history, each length-prefixed (core/digest.h), the body by its body_hash.
std::string ComputeChain(const StateVersion& version);

// L0 of semantics.md section 7 over the versions of one entry in ascending order: hashes, chain,
// numbers without gap. `anchor` is the chain value before the first of them (empty: it must be
// version 1). DATA_LOSS names connection, entry, version and what does not fit.
absl::Status VerifyChain(absl::Span<const StateVersion> versions, absl::string_view anchor);

// The rollback horizon: a version leaves it when older than 1 h or when 10 newer ones exist,
// whichever comes first.
struct RollbackHorizon {
  int64_t max_age_us = 3'600'000'000;
  int64_t newer_versions = 10;
};
// The newest version that has left the horizon at `now_us` and that the newest one builds on, or 0.
// What a rollback took back, or lies before a reset or an import, is ahead of or apart from the
// current state: releasing it would let the source forget what the next sync reads (Invariant I2).
// `versions` ascending; only version, parent, kind and created_at_us are read (parent 0: the one
// before).
int64_t NewestReleasable(absl::Span<const StateVersion> versions, int64_t now_us,
                         const RollbackHorizon& horizon);

// History keeps this much per entry, whichever is reached first.
struct HistoryRetention {
  int64_t versions = 1000;
  int64_t bytes = 64 * 1024 * 1024;
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_STATE_VERSION_H_
