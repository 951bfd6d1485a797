// The open transaction of an attempt with everything that commits in it: counts per table, state
// entries, dead letters, schema changes. Nothing of it is in the report before it is durable.
#ifndef TIDEMARK_PIPELINE_OPEN_GROUP_H_
#define TIDEMARK_PIPELINE_OPEN_GROUP_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/change_counts.h"
#include "core/checkpoint.h"
#include "destination/destination.h"
#include "pipeline/conform.h"
#include "pipeline/sync_run.h"
#include "pipeline/table_writer.h"
#include "state/state_store.h"

namespace tidemark {

// What one table did in the open group.
struct TableGroup {
  ChangeCounts counts;
  uint64_t received = 0;  // changes and dead letters that arrived
  bool touched = false;
};

// Calls as `fivetran debug` counts them.
struct CallCounts {
  uint64_t upserts = 0, updates = 0, deletes = 0, truncates = 0, checkpoints = 0;
};

// Confined to the apply thread.
class OpenGroup {
 public:
  explicit OpenGroup(SyncRun& run);

  // The open transaction, begun when there is none.
  absl::StatusOr<DestinationTransaction*> Transaction();
  bool has_transaction() const { return transaction_ != nullptr; }

  TableGroup& Of(const std::string& table) { return tables_[table]; }
  void AddRows(ChangeBatch batch, const TargetTable& target);
  void AddState(const StateEntry& state) { states_[EntryName(state)] = state; }
  // Writes a dead letter and remembers it; FAILED_PRECONDITION beyond max_dead_letters.
  absl::Status AddDeadLetter(const DeadLetter& letter, const std::string& record_id);

  CallCounts& calls() { return calls_; }
  std::vector<SchemaChange>& schema_changes() { return schema_changes_; }
  void AddBytes(uint64_t bytes) { bytes_ += bytes; }
  // How new the rows of a batch are, for SyncProgress::lag.
  void AddTimes(const ChangeBatch& batch);
  bool has_states() const { return !states_.empty(); }
  const std::map<std::string, StateEntry>& states() const { return states_; }

  // Commits; folds everything into the run. Returns whether the state moved. On an error nothing
  // of the group is kept and the transaction is gone.
  absl::StatusOr<bool> Commit(int64_t last_synced_us);
  // The versions of the last commit for the outer store, bodies included; none without one.
  std::vector<VersionAppend> TakeAppends() { return std::exchange(appends_, {}); }
  void Rollback();

 private:
  struct Letter {
    std::string table;
    std::string record_id;
    std::string reason;
    absl::StatusCode code;
  };
  CommitRequest Request(int64_t last_synced_us) const;
  // Which state entry keeps the counts of `table` (see README.md, "Whose counts").
  std::string EntryFor(const std::string& table) const;
  void CollectAppends(const CommitRequest& request, const CommitResult& result);
  void Fold();
  void Clear();

  SyncRun& run_;
  std::unique_ptr<DestinationTransaction> transaction_;
  std::map<std::string, TableGroup> tables_;
  std::map<std::string, StateEntry> states_;  // the last of each entry
  std::vector<Letter> letters_;
  std::vector<SchemaChange> schema_changes_;
  std::deque<AppliedRows> applied_;  // the newest 1,000 rows or one batch more
  size_t applied_rows_ = 0;
  CallCounts calls_;
  uint64_t bytes_ = 0;
  bool has_rows_ = false;
  int64_t newest_event_us_ = kUnknownEventTime;
  std::vector<VersionAppend> appends_;
};

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_OPEN_GROUP_H_
