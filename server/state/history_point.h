// A place in the history of a connection's state as people name it: a version, a sync, a time.
#ifndef TIDEMARK_STATE_HISTORY_POINT_H_
#define TIDEMARK_STATE_HISTORY_POINT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "state/state_store.h"
#include "state/state_version.h"

namespace tidemark {

// Exactly one of the three is set.
struct HistoryPoint {
  std::optional<int64_t> version;
  std::optional<int64_t> time_us;  // Unix microseconds UTC
  std::string sync_id;
  std::string text;  // as it was given
};

// "3", "2024-01-15T10:30:00Z" (without a zone: UTC; a date: its midnight) or the id of a sync.
// INVALID_ARGUMENT: none of them.
absl::StatusOr<HistoryPoint> ParseHistoryPoint(absl::string_view text);

// One entry of a store with its history, ascending and without bodies.
struct EntryHistory {
  StateHead head;
  std::vector<StateVersion> versions;
};

// Every entry of `store`, or the one called `entry`. NOT_FOUND: there is no such entry, or no entry
// at all. A version that cannot be read is DATA_LOSS.
absl::StatusOr<std::vector<EntryHistory>> ReadHistories(StateStore& store,
                                                        const std::optional<std::string>& entry);

// The version of each entry that stood at `point`, in the order of `histories`; nullptr: the entry
// did not exist yet. A version number counts per entry, so with several entries it is
// INVALID_ARGUMENT. A sync means its last version of each entry, and what stood beside it in the
// entries it did not touch. NOT_FOUND: no such version or sync, or history does not reach back.
absl::StatusOr<std::vector<const StateVersion*>> FindPoint(absl::Span<const EntryHistory> histories,
                                                           const HistoryPoint& point);

// How messages call an entry: "the connection" or "table user".
std::string EntryLabel(absl::string_view entry);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_HISTORY_POINT_H_
