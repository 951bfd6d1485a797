// The chain value of a version is BLAKE2b-256 over these parts, each preceded by its length as 8
// bytes little endian (core/digest.h); integers are parts of 8 bytes little endian:
//
//   connection entry version parent epoch kind-name format body_hash prev_chain sync_id group_id
//   inserted updated deleted unchanged superseded missing conflict late_queue dead_letter
//   deleted_by_truncate duplicates_collapsed cursor watermark created_at engine
//
// An unknown watermark is INT64_MIN. The body takes part by its body_hash.
#include "state/state_version.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/digest.h"
#include "state/chain_verifier.h"

namespace tidemark {
namespace {

constexpr std::array<std::pair<StateKind, absl::string_view>, 7> kKinds = {{
    {StateKind::kNormal, "normal"},
    {StateKind::kRollback, "rollback"},
    {StateKind::kRepair, "repair"},
    {StateKind::kReset, "reset"},
    {StateKind::kMigrate, "migrate"},
    {StateKind::kImport, "import"},
    {StateKind::kSnapshot, "snapshot"},
}};

}  // namespace

absl::string_view StateKindName(StateKind kind) {
  for (const auto& [value, name] : kKinds) {
    if (value == kind) return name;
  }
  return "unknown";
}

std::optional<StateKind> ParseStateKind(absl::string_view name) {
  for (const auto& [value, text] : kKinds) {
    if (text == name) return value;
  }
  return std::nullopt;
}

std::string ComputeChain(const StateVersion& version) {
  Digest digest(32);
  digest.Add(version.connection);
  digest.Add(version.entry);
  digest.AddInt(version.version);
  digest.AddInt(version.parent);
  digest.AddInt(version.epoch);
  digest.Add(StateKindName(version.kind));
  digest.AddInt(version.format);
  digest.Add(version.body_hash);
  digest.Add(version.prev_chain);
  digest.Add(version.sync_id);
  digest.Add(version.group_id);
  const ChangeCounts& counts = version.counts;
  for (uint64_t count :
       {counts.inserted, counts.updated, counts.deleted, counts.unchanged, counts.superseded,
        counts.missing, counts.conflict, counts.late_queue, counts.dead_letter,
        counts.deleted_by_truncate, counts.duplicates_collapsed}) {
    digest.AddInt(static_cast<int64_t>(count));
  }
  digest.Add(version.cursor);
  digest.AddInt(version.watermark_us);
  digest.AddInt(version.created_at_us);
  digest.Add(version.engine);
  return digest.Finish();
}

absl::Status VerifyChain(absl::Span<const StateVersion> versions, absl::string_view anchor) {
  ChainVerifier verifier(anchor);
  for (const StateVersion& version : versions) {
    if (absl::Status status = verifier.Add(version); !status.ok()) return status;
  }
  return absl::OkStatus();
}

int64_t NewestReleasable(absl::Span<const StateVersion> versions, int64_t now_us,
                         const RollbackHorizon& horizon) {
  if (versions.empty()) return 0;
  const int64_t newest = versions.back().version;
  int64_t next = newest;  // on the way from version to parent
  for (size_t i = versions.size(); i-- > 0;) {
    const StateVersion& version = versions[i];
    if (version.version > next) continue;
    if (version.version < next) return 0;
    // Counted, not subtracted: a repair leaves a gap in the numbers.
    if (static_cast<int64_t>(versions.size() - 1 - i) >= horizon.newer_versions ||
        now_us - version.created_at_us > horizon.max_age_us) {
      return version.version;
    }
    if (version.kind == StateKind::kReset || version.kind == StateKind::kImport) return 0;
    next = version.parent == 0 ? version.version - 1 : version.parent;
  }
  return 0;
}

}  // namespace tidemark
