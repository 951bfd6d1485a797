// The live events of one sync: the newest ones, numbered, and whoever waits for the next.
#ifndef TIDEMARK_SERVICE_SYNC_FEED_H_
#define TIDEMARK_SERVICE_SYNC_FEED_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/sync_entry.h"

namespace tidemark {

// One event of a sync, as Watch gives it.
struct SyncFeedEvent {
  enum class Kind { kStarted, kProgress, kLog, kEnded };
  uint64_t sequence = 0;  // 1, 2, 3, ... within the sync
  int64_t at_us = 0;
  Kind kind = Kind::kProgress;
  // kProgress
  std::string table;
  uint64_t rows = 0;
  double rows_per_second = 0;
  double elapsed_seconds = 0;
  std::string phase;
  std::optional<double> lag_seconds;
  // kLog: level 0 debug .. 3 error, `table`, `text`
  int level = 1;
  std::string text;
  // kStarted, kEnded
  std::optional<SyncEntry> record;
};

// Some events in order.
struct SyncFeedPage {
  std::vector<SyncFeedEvent> events;
  bool ended = false;   // no further event will come
  uint64_t oldest = 0;  // the first one that is kept; 0: none yet
};

inline constexpr size_t kFeedEvents = 10'000;  // kept per sync

// The oldest event that is kept, of an OUT_OF_RANGE of SyncFeed::Read().
std::optional<uint64_t> OldestKept(const absl::Status& status);

// Thread-compatible: the book's mutex guards it. An event takes about a hundred bytes and its text.
class SyncFeed {
 public:
  // Numbers the event and drops the oldest beyond kFeedEvents. Texts are cut at 8 KiB.
  void Add(SyncFeedEvent event);

  // At most `limit` events with a larger sequence than `after`. OUT_OF_RANGE: the next one is not
  // kept any more; names the oldest.
  absl::StatusOr<SyncFeedPage> Read(uint64_t after, size_t limit) const;
  bool ended() const { return ended_; }

  // The whole feed as one document, and back; the records of kStarted and kEnded are the caller's
  // `record` then. INTERNAL: the text is none of ours.
  std::string Document() const;
  static absl::StatusOr<SyncFeed> FromDocument(absl::string_view text, const SyncEntry& record);

 private:
  struct Stored {
    int64_t at_us = 0;
    uint64_t rows = 0;
    double elapsed_seconds = 0;
    float rows_per_second = 0;
    float lag_seconds = -1;  // negative: none
    uint32_t table = 0;      // in tables_
    SyncFeedEvent::Kind kind = SyncFeedEvent::Kind::kProgress;
    int16_t level = 1;
    std::string text;  // of a log line, or the phase
  };

  uint32_t TableNumber(const std::string& name);
  SyncFeedEvent Open(size_t index) const;

  std::deque<Stored> events_;
  uint64_t first_ = 1;  // sequence of events_.front()
  std::vector<std::string> tables_ = {""};
  std::optional<SyncEntry> started_;
  std::optional<SyncEntry> final_;
  bool ended_ = false;
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_SYNC_FEED_H_
