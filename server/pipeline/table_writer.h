// Writes the changes of one table into open transactions of one attempt.
#ifndef TIDEMARK_PIPELINE_TABLE_WRITER_H_
#define TIDEMARK_PIPELINE_TABLE_WRITER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/change_batch.h"
#include "core/change_counts.h"
#include "core/clock.h"
#include "destination/destination.h"
#include "pipeline/conform.h"
#include "pipeline/table_target.h"

namespace tidemark {

// Values of kSyncedColumn: the time of writing, always larger than the one before
// (semantics.md section 3). Thread-compatible.
class SyncedTime {
 public:
  SyncedTime(Clock& clock, int64_t last_us) : clock_(clock), last_us_(last_us) {}
  int64_t Next();
  int64_t last() const { return last_us_; }  // Unix microseconds UTC

 private:
  Clock& clock_;
  int64_t last_us_;
};

// Confined to the apply thread. After a rollback the writer is thrown away with its attempt.
class TableWriter {
 public:
  // `truncate_before_us`: of a truncate that waits for a sync's success, or kNoTime.
  TableWriter(TableTarget target, const ConversionOptions& conversion, bool infer_dates,
              int64_t truncate_before_us);
  TableWriter(const TableWriter&) = delete;
  TableWriter& operator=(const TableWriter&) = delete;

  absl::Status Grow(const TableSchema& table);
  // Creates the table or brings it to the target's shape, when it is not known to have it.
  absl::Status Ensure(DestinationTransaction& transaction, std::vector<SchemaChange>* changes);

  // Conforms and applies `batch`, which holds the applied rows afterwards. Invariant I5: each of
  // its changes is in `counts` or in `bad`, once. An error leaves the transaction to be rolled
  // back; INTERNAL "plugin misbehaved" is the connector's, everything else the destination's.
  absl::Status Write(ChangeBatch* batch, DestinationTransaction& transaction, SyncedTime& synced,
                     ChangeCounts* counts, std::vector<BadRow>* bad,
                     std::vector<SchemaChange>* changes);

  // The table is read from its beginning: as if a truncate came now. After Ensure; does nothing
  // while another one waits.
  absl::Status BeginAgain(DestinationTransaction& transaction, SyncedTime& synced);
  // At the success of a sync: deletes what was last written before the truncate.
  absl::Status FinishTruncate(DestinationTransaction& transaction, SyncedTime& synced,
                              ChangeCounts* counts);

  // Values seen since the last call of Ensure moved what the destination keeps of the columns.
  bool unsaved_types() const { return unsaved_types_; }
  bool truncate_waits() const { return truncate_before_us_ != kNoTime; }
  int64_t truncate_before_us() const { return truncate_before_us_; }
  const TableTarget& target() const { return target_; }
  std::vector<ConversionNotes> TakeNotes() { return conformer_.TakeNotes(); }

 private:
  // `first`: the place of the batch's first row in the conformed one it is cut from.
  absl::Status Apply(const ChangeBatch& batch, uint32_t first, DestinationTransaction& transaction,
                     SyncedTime& synced, ChangeCounts* counts, std::vector<BadRow>* bad);
  absl::Status Truncate(DestinationTransaction& transaction, SyncedTime& synced,
                        ChangeCounts* counts);

  TableTarget target_;
  Conformer conformer_;
  std::optional<TableHandle> handle_;
  bool shape_differs_ = true;  // the destination may not have the target's shape yet
  bool unsaved_types_ = false;
  int64_t truncate_before_us_;  // Unix microseconds UTC, or kNoTime
  std::vector<RefusedRow> refused_;
};

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_TABLE_WRITER_H_
