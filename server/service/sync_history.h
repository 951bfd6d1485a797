// The syncs of a server in its catalog: table syncs, with sync_reports and sync_events beside it.
#ifndef TIDEMARK_SERVICE_SYNC_HISTORY_H_
#define TIDEMARK_SERVICE_SYNC_HISTORY_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/catalog.h"
#include "service/sync_entry.h"

namespace tidemark {

// Which syncs, newest first.
struct SyncQuery {
  std::string connection;                          // empty: any
  std::function<bool(absl::string_view)> may_see;  // of a connection; null: all
  std::vector<SyncPhase> phases;                   // empty: any
  int64_t from_us = 0;                             // queued at or after
  int64_t until_us = INT64_MAX;                    // queued before
  std::string after;  // sync_id of the last one seen; empty: from the newest
  size_t limit = 100;
};

// "sync_" and 20 hexadecimal digits: 14 of a time in microseconds, 6 of chance. Texts of later
// times are larger.
std::string SyncIdOf(int64_t time_us, uint64_t chance);
// The time in it; 0: no text of SyncIdOf().
int64_t TimeOfSyncId(absl::string_view sync_id);

// Thread-safe. Every write is durable when the call returns.
class SyncHistory {
 public:
  // Reports and events take more room than the rest: this many reports per connection are kept,
  // and events for this long after the end.
  static constexpr int64_t kReportsPerConnection = 1'000;
  static constexpr absl::Duration kEventsFor = absl::Hours(1);

  explicit SyncHistory(Catalog* catalog) : catalog_(catalog) {}

  // Makes the tables and closes what a server that was killed has left open: as failed, "the
  // server ended". Returns those.
  absl::StatusOr<std::vector<SyncEntry>> Open(int64_t now_us);
  // The largest time in a sync_id; 0: none.
  absl::StatusOr<int64_t> NewestTime();
  // The newest sync of each connection.
  absl::StatusOr<std::vector<SyncEntry>> NewestOfEach();

  absl::Status Insert(const SyncEntry& entry);
  // `report` and `events` may be empty.
  absl::Status Finish(const SyncEntry& entry, absl::string_view report, absl::string_view events);

  // Ended ones only.
  absl::StatusOr<SyncEntry> Get(absl::string_view sync_id);
  // Ended ones only. `connections`: where to look when the query names none and the caller may see
  // few; empty: everywhere.
  absl::StatusOr<std::vector<SyncEntry>> List(const SyncQuery& query,
                                              const std::vector<std::string>& connections);
  // NOT_FOUND: there is none.
  absl::StatusOr<std::string> Report(absl::string_view sync_id);
  absl::StatusOr<std::string> Events(absl::string_view sync_id);

  // Removes ended syncs of `connection` that were queued before `before_us` or that `keep` newer
  // ones follow, a piece at a time; true: there may be more.
  absl::StatusOr<bool> PruneSome(const std::string& connection, int64_t before_us, int64_t keep);
  absl::Status PruneEvents(int64_t now_us);

 private:
  // One ordered walk: of one connection or all, of one phase or all.
  absl::Status Walk(SqliteConnection& db, const SyncQuery& query, const std::string& connection,
                    std::optional<SyncPhase> phase, std::vector<SyncEntry>* out);

  Catalog* const catalog_;
  // How far a sync_id's time was ever ahead of the time of queueing, because a clock was set back.
  std::atomic<int64_t> skew_us_{0};
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_SYNC_HISTORY_H_
