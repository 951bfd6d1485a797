// What a sync knows across its attempts: only what is committed, and what the report will say.
#ifndef TIDEMARK_PIPELINE_SYNC_RUN_H_
#define TIDEMARK_PIPELINE_SYNC_RUN_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/change_batch.h"
#include "pipeline/rate_limit.h"
#include "pipeline/state_book.h"
#include "pipeline/sync.h"
#include "pipeline/table_target.h"
#include "pipeline/value_conversion.h"
#include "state/state_version.h"

namespace tidemark {

// One table over all attempts.
struct TableRun {
  TableOutcome outcome;               // committed groups only
  std::optional<TargetTable> stored;  // its committed shape
  int64_t truncate_before_us = kNoTime;
  bool shared = false;      // StoredTable::shared
  bool known_only = false;  // from an earlier sync; this one has not met it
  bool ended = false;       // stopped by its own on_error: skipped from now on
  absl::Status failure;     // why it failed; OK otherwise
  bool done = false;        // the connector finished it and that is committed
  bool counts_differ = false;
  bool counted = false;      // the connector counts its rows
  int64_t sent_surplus = 0;  // what it says it sent less what was received, committed
  bool logged = false;       // the line at its beginning was written
  uint64_t dead_letters = 0;
  std::string first_dead_letter;       // reason
  std::vector<std::string> columns;    // names of the notes
  std::vector<ConversionNotes> notes;  // by target column
  // Named by its own rule, not by the source as far as its columns are known.
  std::vector<std::string> unknown_columns;
};

// Applied rows of one batch, for the record ids of the last commit group.
struct AppliedRows {
  ChangeBatch batch;
  std::vector<std::string> names;  // of the target's columns
  std::vector<bool> keys;
  std::vector<bool> sensitive;
};

// Confined to the apply thread.
class SyncRun {
 public:
  SyncRun(const SyncOptions& sync_options, const SyncParts& sync_parts);
  SyncRun(const SyncRun&) = delete;
  SyncRun& operator=(const SyncRun&) = delete;

  // The table of this qualified source name, made at its first mention.
  TableRun& Table(const std::string& name);

  void Log(int level, absl::string_view table, absl::string_view text);
  // Logs and puts into the report, each text once.
  void Warn(absl::string_view table, absl::string_view text);
  void AddError(const absl::Status& status, absl::string_view table, absl::string_view record_id);
  // What the sync ended with, unless that is what ended a table and stands there already.
  void AddSyncError(const absl::Status& status);
  // A committed dead letter. errors[] lists the first 1,000; CountBadRows adds one line for the
  // others.
  void AddBadRow(const absl::Status& status, absl::string_view table, absl::string_view record_id);
  void CountBadRows();
  // At most every 200 ms.
  void ShowProgress(const std::string& table, uint64_t rows, const std::string& phase);

  int interrupts() const { return parts.interrupt == nullptr ? 0 : parts.interrupt->count(); }
  // After a table ended: every state is per table, so that the others can go on without it.
  bool OthersMayGoOn() const;
  // Owns the outer store and brings it up to the destination, with the errors of KeepOutside.
  absl::Status BeginOutside() { return Tolerate(parts.outer->Begin()); }
  // Protocol B: the outer store, if there is one, gets the versions of a commit. An error ends the
  // attempt; with go_on_behind_store only where ownership is lost or the stores diverged.
  absl::Status KeepOutside(const std::vector<VersionAppend>& versions);
  // Brings an outer store that is behind up to date, with the same errors.
  absl::Status CatchUpOutside();
  // Invariant I2: nothing is acknowledged that an outer store does not have.
  bool MayAcknowledge() const { return parts.outer == nullptr || !parts.outer->behind(); }
  // Refuses to move a state that tables share which this run leaves out (run --table): the changes
  // they have had until then would never be read.
  absl::Status CheckShared(const StateEntry& state) const;
  // The durable states; with `full`, those that this sync committed itself.
  std::vector<StateEntry> StatesForSource() const;
  // The state of this table was reset and nothing was read since: the whole table comes again.
  bool BeginsAgain(const std::string& table) const;
  // Null: changes come as fast as they can.
  RateLimit* rate();
  int64_t NowUs() const { return absl::ToUnixMicros(parts.clock->Now()); }

  const SyncOptions& options;
  const SyncParts& parts;
  RandomBits& random;
  SyncOutcome outcome;
  StateBook book;
  std::map<std::string, TableRun> tables;  // by qualified source name
  std::set<std::string> left_out;          // tables of the connection that this run does not take
  uint64_t capabilities = 0;               // of the connector
  int64_t epoch = 0;
  int64_t last_synced_us = 0;
  int64_t newest_us = kNoTime;         // of the rows committed last: event time, else the commit's
  uint64_t dead_letters = 0;           // committed
  std::string first_dead_letter;       // reason of the first committed one
  bool tail_discarded = false;         // changes behind the last checkpoint were not kept
  std::deque<AppliedRows> last_group;  // of the last commit, newest last

 private:
  absl::Status Tolerate(absl::Status status);

  absl::Duration began_;
  RateLimit own_rate_;
  absl::Duration shown_ = -absl::InfiniteDuration();
};

// The text of the last commit group's records, newest last, at most 1,000.
std::vector<std::string> RecordIdsOf(const std::deque<AppliedRows>& rows);

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_SYNC_RUN_H_
