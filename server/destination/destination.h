// Where rows and their state are kept. One implementation per system; one conformance suite for
// all (tests/destination).
//
// Life: Open -> Acquire -> (Begin -> EnsureTable/Apply/... -> Commit | Rollback)* -> Release.
// Confined to one thread. Protocol A of semantics.md section 6: data, state version, dead letters
// and counts commit in one transaction, or nothing does.
#ifndef TIDEMARK_DESTINATION_DESTINATION_H_
#define TIDEMARK_DESTINATION_DESTINATION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/change_batch.h"
#include "core/change_counts.h"
#include "core/checkpoint.h"
#include "core/dead_letter.h"
#include "core/type.h"
#include "state/state_commit.h"
#include "state/state_version.h"

namespace tidemark {

inline constexpr char kSyncedColumn[] = "_tidemark_synced";    // UTC_DATETIME
inline constexpr char kDeletedColumn[] = "_tidemark_deleted";  // BOOLEAN, soft deletes only
inline constexpr char kIdColumn[] = "_tidemark_id";            // STRING, tables without a key

struct DestinationLimits {
  uint32_t max_columns = 0;
  uint32_t max_name_bytes = 0;
  uint64_t max_value_bytes = 0;
  bool keeps_nan = false;      // false: the pipeline stores NaN as NULL, with a warning
  bool keeps_infinity = true;  // false: the same for infinities
};

enum class DeleteMode { kSoft, kHard };
// What to do with a table that stands there but was not made by Tidemark.
enum class ExistingPolicy { kRefuse };

// A column as it shall stand at the destination.
struct TargetColumn {
  std::string name;         // after naming rules
  std::string source_name;  // as the connector calls it
  ColumnType type;          // kUndeclared: only NULLs so far, the column is not created yet
  bool key = false;
  bool sensitive = false;
};

// A table as it shall stand at the destination. Columns keep their order; later versions append
// columns or widen types. System columns are not listed, except kIdColumn (key, STRING) as the
// first column of a table without a key.
struct TargetTable {
  std::string name;
  std::string source_name;  // qualified, as reports call it
  std::vector<TargetColumn> columns;
  DeleteMode deletes = DeleteMode::kSoft;
  ExistingPolicy existing = ExistingPolicy::kRefuse;
  // Index of the column whose older values are not applied (semantics.md section 8), if any.
  std::optional<size_t> stale_guard;
};

using TableHandle = uint32_t;

// One visible change of the destination's schema, for report and log.
struct SchemaChange {
  std::string table;
  std::string column;  // empty: the table itself
  std::string what;    // "created", "column added", "widened LONG to DOUBLE", ...
};

// What is stored about a table that an earlier sync made.
struct StoredTable {
  TargetTable table;
  int64_t truncate_before_us = kNoTime;  // a truncate whose sync has not succeeded yet
  bool shared = false;  // other producers of the connection write it too (table_owner.h)
};

// A row that the destination itself refused; everything else of the batch was applied.
struct RefusedRow {
  uint32_t row = 0;
  absl::Status status;
};

struct ApplyOptions {
  int64_t synced_us = 0;  // value of kSyncedColumn, Unix microseconds UTC
  // Set while a truncate waits for the end of the sync: equal and superseded rows still move
  // kSyncedColumn, so that they survive it.
  bool touch_unchanged = false;
  // Of that truncate (Unix microseconds UTC), else kNoTime: rows last written before it are gone
  // for the source, so a key change onto one replaces it and is no swap.
  int64_t truncate_before_us = kNoTime;
};

// A row of _tidemark_sync_tables.
struct TableRecord {
  std::string table;
  std::string status;  // completed, failed, partial
  bool full = false;
  std::string last_sync_timestamp;  // report time text, may be empty
  ChangeCounts counts;
};

// A row of _tidemark_syncs.
struct SyncRecord {
  std::string sync_id;
  std::string connection;
  std::string source;
  std::string destination;
  int64_t started_at_us = 0;
  int64_t completed_at_us = kNoTime;  // kNoTime: running
  std::string status;                 // running, completed, failed, partial
  std::string reason;                 // of a sync closed by the next start: "process ended"
  std::string report_json;            // the Sync Status Report, whole
  std::vector<TableRecord> tables;
};

// What the new holder of a connection finds.
struct Acquired {
  int64_t epoch = 0;
  std::vector<StateEntry> states;  // current, with version and committed_at
  std::vector<StateEntry> releasable;
  std::vector<StoredTable> tables;  // of this connection
  int64_t last_synced_us = 0;
  std::vector<std::string> closed_syncs;  // ids of syncs found running and closed as failed
};

// One open transaction. Destroying it without Commit rolls back. After a Rollback every
// TableHandle of this transaction's EnsureTable calls is void.
class DestinationTransaction {
 public:
  virtual ~DestinationTransaction() = default;

  // Creates the table or brings it to this shape (new columns, wider types), rewriting stored
  // values without loss. Idempotent and cheap when nothing differs. Appends what it did to
  // `changes`. FAILED_PRECONDITION: a table of this name exists that is not ours or belongs to
  // another connection, another key, or a dependent view; the text names the choices. ABORTED:
  // another producer has reshaped it (see TakeReshaped).
  virtual absl::StatusOr<TableHandle> EnsureTable(const TargetTable& table,
                                                  std::vector<SchemaChange>* changes) = 0;

  // Applies the rows in order. batch.table is a TableHandle; its columns are the first
  // column_count of the TargetTable, with values of the kinds that the column's type stores
  // (pipeline/conform.h), no NULL in keys. A key change whose old row is missing is an upsert when
  // it carries every value, else it is counted missing: never half a row. Adds to `counts`
  // (Invariant I5: each row once, except those in `refused`, which the caller counts). An error
  // leaves the transaction to be rolled back.
  virtual absl::Status Apply(const ChangeBatch& batch, const ApplyOptions& options,
                             ChangeCounts* counts, std::vector<RefusedRow>* refused) = 0;

  // Notes that rows last written before `truncate_before_us` are to go at the sync's success
  // (nullopt: forget it). Kept in the same transaction. FAILED_PRECONDITION: producers share the
  // table, and the rows of others would go.
  virtual absl::Status SetTruncateBefore(TableHandle table,
                                         std::optional<int64_t> truncate_before_us) = 0;
  // Deletes (by the table's mode) every live row written before `truncate_before_us`; returns how
  // many.
  virtual absl::StatusOr<uint64_t> DeleteWrittenBefore(TableHandle table,
                                                       int64_t truncate_before_us,
                                                       int64_t synced_us) = 0;

  virtual absl::Status WriteDeadLetter(absl::string_view sync_id, const DeadLetter& letter) = 0;

  // Steps 3-5 of protocol A and COMMIT. Consumes the transaction whatever it returns.
  //   OK                   durable (also when the outcome was unknown and turned out well)
  //   ABORTED              not committed: go back to the last durable state and try again
  //   FAILED_PRECONDITION  FENCED: another holder took the connection; nothing was written
  //   DATA_LOSS            DIVERGED: a state entry is not at the expected version
  //   RESOURCE_EXHAUSTED   the disk is full; nothing was written
  //   UNAVAILABLE          locked or unreachable; nothing was written
  virtual absl::StatusOr<CommitResult> Commit(const CommitRequest& request) = 0;
  virtual void Rollback() = 0;
};

class Destination {
 public:
  virtual ~Destination() = default;

  virtual DestinationLimits limits() const = 0;
  virtual int max_writers() const = 0;

  // Makes this process the connection's holder: lock, epoch + 1, closes syncs left running, then
  // L0 of semantics.md section 7 over every entry. FAILED_PRECONDITION: somebody else works on it
  // (names holder and since when), or the bookkeeping is of a newer engine. DATA_LOSS: the stored
  // state does not verify; nothing was changed.
  virtual absl::StatusOr<Acquired> Acquire(const AcquireRequest& request) = 0;

  virtual absl::Status BeginSync(const SyncRecord& record) = 0;
  // Replaces the record of the same id.
  virtual absl::Status FinishSync(const SyncRecord& record) = 0;

  // REQUIRES: no transaction is open.
  virtual absl::StatusOr<std::unique_ptr<DestinationTransaction>> Begin() = 0;

  // Tables of this connection that another producer of it has reshaped, as they stand now, since
  // the last call. After an ABORTED that names one of them: the next attempt begins with these.
  virtual std::vector<StoredTable> TakeReshaped() { return {}; }

  // Gives the connection back. Also done by the destructor.
  virtual void Release() = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_DESTINATION_H_
