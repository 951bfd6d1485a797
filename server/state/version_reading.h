// How stores read the versions of an entry.
#ifndef TIDEMARK_STATE_VERSION_READING_H_
#define TIDEMARK_STATE_VERSION_READING_H_

#include <cstdint>

namespace tidemark {

// What a store with SQL selects of a version, in the order of its rows; h: the table of versions.
// The size of the body follows, then the body where it is asked for.
inline constexpr char kVersionColumns[] =
    "h.version, h.parent, h.epoch, h.kind, h.format, h.body_hash, h.prev_chain, h.chain, "
    "h.sync_id, h.group_id, h.inserted, h.updated, h.deleted, h.unchanged, h.superseded, "
    "h.missing, h.conflict, h.late_queue, h.dead_letter, h.deleted_by_truncate, "
    "h.duplicates_collapsed, h.cursor_max, h.watermark, h.created_at, h.engine";
inline constexpr int kVersionSizeColumn = 25;
inline constexpr int kVersionBodyColumn = 26;

// Versions that a store over the network reads at once, with bodies of up to 10 MiB each, and
// without.
inline constexpr int64_t kVersionPage = 16;
inline constexpr int64_t kVersionPageWithoutBodies = 1000;

}  // namespace tidemark

#endif  // TIDEMARK_STATE_VERSION_READING_H_
