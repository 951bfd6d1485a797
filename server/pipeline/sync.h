// One sync: reads a connector, applies its changes to a destination, commits data and state
// together, acknowledges, retries (semantics.md sections 1-8, 11, 13).
#ifndef TIDEMARK_PIPELINE_SYNC_H_
#define TIDEMARK_PIPELINE_SYNC_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/change_counts.h"
#include "core/clock.h"
#include "core/latency_counts.h"
#include "core/naming.h"
#include "core/random_bits.h"
#include "core/schema.h"
#include "destination/destination.h"
#include "pipeline/change_source.h"
#include "pipeline/rate_limit.h"
#include "state/outer_store.h"

namespace tidemark {

enum class OnError { kContinue, kStop };
enum class StaleGuard { kAuto, kOff };

// Settings of one table after globs and defaults are resolved.
struct TableRule {
  std::string pattern;  // source table name or glob; "schema.table" or "table"
  std::optional<std::vector<std::string>> primary_key;  // replaces the connector's
  DeleteMode deletes = DeleteMode::kSoft;
  OnError on_error = OnError::kContinue;
  ExistingPolicy existing = ExistingPolicy::kRefuse;
  StaleGuard stale_guard = StaleGuard::kAuto;
  std::vector<std::string> exclude_columns;
  std::map<std::string, std::string> rename_columns;  // source name -> destination name
  std::map<std::string, ColumnType> column_types;     // source name -> declared type
};

// When a group of checkpoints commits. Only ever at checkpoints.
struct GroupLimits {
  uint64_t rows = 10'000;
  uint64_t bytes = 8 * 1024 * 1024;
  absl::Duration age = absl::Milliseconds(200);
  bool when_idle = true;  // every_batch: also as soon as nothing further has arrived
  absl::Duration max_open = absl::Seconds(60);  // then rows commit without moving the state
};

struct RetryPolicy {
  int max_attempts = 8;  // attempts in a row without progress (a commit resets the count)
  absl::Duration first = absl::Milliseconds(500);
  absl::Duration max = absl::Seconds(60);
};

struct SyncOptions {
  std::string connection;
  std::string sync_id;              // of this sync, unique at the destination; empty: made here
  std::string source_name;          // for the report; never a connection string
  std::string destination_name;     // for the report; never a connection string
  std::string holder;               // AcquireRequest.holder
  std::vector<TableRule> tables;    // first match wins
  bool only_listed_tables = false;  // tables that match no rule are skipped
  TableRule default_rule;           // for unlisted tables when they are not skipped
  // Names and globs of what the connection selects otherwise, where `tables` is narrower for this
  // run alone: a state that all tables share must not move then. Empty: `tables` is as always.
  std::vector<std::string> usual_tables;
  Naming naming = Naming::kSource;
  uint64_t max_dead_letters = 1000;
  bool strip_text_nul = false;  // text_nul: strip
  bool infer_dates = false;     // infer.dates
  bool full = false;            // ignore the stored state when selecting (mode full)
  bool continuous = false;      // the connector keeps going as changes arrive, until interrupted
  uint32_t page_rows = 1000;
  GroupLimits group;
  RetryPolicy retry;
  RateLimits rate;
  int64_t from_us = std::numeric_limits<int64_t>::min();
  int64_t until_us = std::numeric_limits<int64_t>::max();
  bool list_record_ids = true;  // processed_record_ids in the outcome
  // L2 of semantics.md section 7: the source is asked whether it can go on from the state.
  bool validate_state = true;
  bool take_over = false;  // AcquireRequest.take_over
  // state.recovery.on_checkpoint_failure: warn. While the outer store cannot be written, rows are
  // kept and the source is not told; the status is partial.
  bool go_on_behind_store = false;
  std::vector<std::string> warnings;  // of what came before the sync, for its log and report
};

// A live number for progress lines; called on the apply thread, at most every 200 ms.
struct SyncProgress {
  std::string table;  // the last one written
  uint64_t rows = 0;
  absl::Duration elapsed;
  std::string phase;
  // Age of what was committed last: by its newest event time where the connector gives one, else
  // by the commit. Not set: this sync has committed no rows yet.
  std::optional<absl::Duration> lag;
  // What is committed until now, as SyncOutcome has it in the end.
  ChangeCounts counts;
  uint64_t bytes = 0;
  uint64_t commits = 0;
  uint64_t checkpoints = 0;
  uint64_t retries = 0;
  int64_t last_commit_us = kNoTime;
  LatencyCounts commit_latency;
};

// What the sync tells while it runs. Called on the apply thread; must not block.
class SyncObserver {
 public:
  virtual ~SyncObserver() = default;
  virtual void OnBegin(absl::string_view sync_id) { static_cast<void>(sync_id); }
  virtual void OnProgress(const SyncProgress&) {}
  // level: 0 debug, 1 info, 2 warning, 3 error. `table` may be empty.
  virtual void OnLog(int level, absl::string_view table, absl::string_view text) = 0;
  // Row `row` of the batch that the source gave last stands in the open group as a dead letter.
  virtual void OnDeadLetter(const DeadLetter& letter, uint32_t row) {
    static_cast<void>(letter);
    static_cast<void>(row);
  }
};

enum class SyncStatus { kCompleted, kPartial, kFailed };
absl::string_view SyncStatusName(SyncStatus status);  // "completed", ...

struct SyncError {
  absl::StatusCode code = absl::StatusCode::kUnknown;
  std::string message;
  std::string table;      // may be empty
  std::string record_id;  // may be empty
  bool retryable = false;
  int64_t at_us = 0;
};

struct TableOutcome {
  std::string table;  // qualified source name
  std::string destination_table;
  ChangeCounts counts;    // committed groups only
  uint64_t sent = 0;      // the connector's count, committed groups only
  uint64_t received = 0;  // the engine's count, committed groups only
  uint64_t late = 0;
  bool full = false;  // read from its beginning
  std::string from;   // cursor text before and after; may be empty
  std::string to;
  SyncStatus status = SyncStatus::kCompleted;
  std::string high_water_mark;  // may be empty
  int64_t last_commit_us = kNoTime;
};

// Everything the Sync Status Report says (semantics.md section 13); control/ writes it as JSON.
struct SyncOutcome {
  std::string sync_id;
  SyncStatus status = SyncStatus::kFailed;
  absl::Status error;                 // first reason of kFailed; OK otherwise
  bool error_of_destination = false;  // `error` came from the destination, not from the source
  bool interrupted = false;
  int64_t started_at_us = 0;
  int64_t completed_at_us = 0;
  ChangeCounts counts;    // sum over tables, committed groups only
  uint64_t bytes = 0;     // encoded bytes of committed rows
  uint64_t retries = 0;   // further attempts of the engine
  uint64_t restarts = 0;  // of these, after the connector's process had ended
  uint64_t commits = 0;
  LatencyCounts commit_latency;  // of the destination's commits that succeeded
  std::vector<TableOutcome> tables;
  std::vector<SchemaChange> schema_changes;
  std::vector<SyncError> errors;
  std::vector<std::string> warnings;
  // Per entry: version before the sync (0: none) and after.
  struct EntryVersions {
    std::string entry;
    int64_t before = 0;
    int64_t after = 0;
    std::string cursor;
    std::string body;  // the last committed one
  };
  std::vector<EntryVersions> state;
  std::vector<std::string> last_record_ids;  // of the last commit group, at most 1,000
  // Calls as `fivetran debug` counts them, of committed groups.
  uint64_t upserts = 0, updates = 0, deletes = 0, truncates = 0, checkpoints = 0;
};

// Thread-safe request to end a sync early. Once: finish the open commit group at its last
// checkpoint; twice: stop now. Async-signal-safe.
class Interrupt {
 public:
  void Request() { count_.fetch_add(1, std::memory_order_relaxed); }
  int count() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int> count_{0};
};

// Turns the outcome into the report's JSON when the engine stores it (control/report.h).
using ReportWriter = std::function<std::string(const SyncOutcome&)>;

struct SyncParts {
  ChangeSourceFactory source;
  Destination* destination = nullptr;  // borrowed
  OuterStore* outer = nullptr;         // borrowed, null: the destination alone keeps the state
  Clock* clock = nullptr;              // borrowed
  SyncObserver* observer = nullptr;    // borrowed
  Interrupt* interrupt = nullptr;      // borrowed, may be null
  RandomBits* random = nullptr;        // borrowed, null: the system's; ids and jitter
  RateLimit* rate = nullptr;           // borrowed, null: SyncOptions::rate for this sync alone
  ReportWriter report;
};

// Runs one sync to its end on the calling thread (the apply thread). Never throws; every failure
// stands in the outcome. The destination has been opened and not yet acquired; it is released at
// the end.
SyncOutcome RunSync(const SyncOptions& options, const SyncParts& parts);

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_SYNC_H_
