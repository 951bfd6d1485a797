// Applies changes to one table: which row was inserted, updated, equal, older or missing, with
// statements prepared once (semantics.md sections 1, 6 and 8).
#ifndef TIDEMARK_DESTINATION_SQLITE_TABLE_WRITER_H_
#define TIDEMARK_DESTINATION_SQLITE_TABLE_WRITER_H_

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/change_batch.h"
#include "core/change_counts.h"
#include "destination/destination.h"
#include "destination/sqlite_catalog.h"
#include "destination/sqlite_parked_rows.h"
#include "destination/sqlite_row_binder.h"
#include "destination/sqlite_row_source.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// Confined to one thread; borrows the connection. Made anew whenever the table's shape changes.
class SqliteTableWriter {
 public:
  // `target` is the shape in which batches come, `table` what stands in the file.
  // `bulk`: whether runs of upserts may be one statement; set to false when that failed. Borrowed.
  // `sync_start_us`: rows written after it are newer than any snapshot row of this sync.
  SqliteTableWriter(SqliteConnection& connection, const TargetTable& target,
                    const SqliteTable& table, int64_t sync_start_us, bool* bulk);
  ~SqliteTableWriter();

  const TargetTable& target() const { return target_; }

  absl::Status Apply(const ChangeBatch& batch, const ApplyOptions& options, ChangeCounts* counts,
                     std::vector<RefusedRow>* refused);
  absl::StatusOr<uint64_t> DeleteWrittenBefore(int64_t truncate_before_us, int64_t synced_us);

 private:
  // What became of one change; the members of ChangeCounts a row can be counted in here.
  enum class Outcome { kInserted, kUpdated, kDeleted, kUnchanged, kSuperseded, kMissing };
  enum class Presence { kMissing, kLive, kDeleted };
  absl::StatusOr<Outcome> ApplyRow(const ChangeBatch& batch, size_t row);
  absl::StatusOr<Outcome> Upsert(absl::Span<const Value> values);
  // The end of the run of upserts from `first` that nothing can refuse; `first` when bulk does not
  // apply.
  size_t BulkEnd(const ChangeBatch& batch, size_t first) const;
  absl::Status UpsertBulk(const ChangeBatch& batch, size_t first, size_t end, ChangeCounts* counts);
  absl::StatusOr<Outcome> Snapshot(absl::Span<const Value> values);
  absl::StatusOr<Outcome> Update(absl::Span<const Value> values);
  absl::StatusOr<Outcome> Delete(absl::Span<const Value> values);
  absl::StatusOr<Outcome> ChangeKey(const ChangeBatch& batch, size_t row,
                                    absl::Span<const Value> before);
  absl::StatusOr<Outcome> MoveKey(const ChangeBatch& batch, size_t row,
                                  absl::Span<const Value> from, absl::Span<const Value> values);
  absl::Status Rekey(absl::Span<const Value> from, absl::Span<const Value> values);
  bool MayMoveOn(const ChangeBatch& batch, size_t row, const std::string& key);
  absl::StatusOr<bool> Park(const ChangeBatch& batch, size_t row, absl::Span<const Value> key);
  absl::Status DropParked(ChangeCounts* counts);

  absl::StatusOr<Presence> Find(absl::Span<const Value> values);
  // The row is only waiting for the end of a truncate.
  absl::StatusOr<bool> Truncated(absl::Span<const Value> values);
  absl::StatusOr<bool> StoredIsNewer(absl::Span<const Value> values);
  absl::StatusOr<bool> WrittenInThisSync(absl::Span<const Value> values);
  absl::Status Touch(absl::Span<const Value> values);
  absl::Status Remove(absl::Span<const Value> values);
  absl::StatusOr<SqliteStatement*> BoundUpdate(absl::Span<const Value> values, bool move);

  absl::Status CheckKey(absl::Span<const Value> values) const;
  // Every column has a value: nothing is taken from what stands there.
  bool IsWhole(absl::Span<const Value> values) const;
  std::string KeyBytes(absl::Span<const Value> values) const;
  absl::Status Prepare(SqliteStatement* statement, const std::string& sql);
  // Prepares `statement` if need be and binds the key; `sql` is only called to prepare.
  template <typename Sql>
  absl::Status BindKeyed(SqliteStatement* statement, absl::Span<const Value> values, Sql sql);
  // Steps a statement that changes rows; the number of rows it changed.
  absl::StatusOr<int> Change(SqliteStatement& statement);

  // `first`: parameter of the first key column; 0: the columns' own parameters.
  std::string KeyCondition(size_t first) const;
  std::string UpsertSql(bool bulk) const;
  std::string UpdateSql(bool move) const;  // for update_set_
  std::string LiveCondition() const;

  SqliteConnection& connection_;
  const TargetTable target_;
  const std::string table_;  // quoted
  const DeleteMode deletes_;
  const bool has_deleted_column_;
  const bool integer_key_;
  const bool keyless_;
  const int64_t sync_start_us_;
  bool* const bulk_;
  std::vector<SqliteRowBinder::Column> columns_;  // physical columns, without system columns
  std::vector<size_t> keys_;                      // indices into columns_
  std::optional<size_t> guard_;                   // index into columns_
  SqliteRowBinder binder_;

  // Of the batch being applied.
  ApplyOptions options_;
  std::unique_ptr<SqliteParkedRows> parked_;  // null until a key change needs it

  SqliteStatement upsert_;
  std::unique_ptr<SqliteRowSource> row_source_;  // outlives upsert_bulk_
  SqliteStatement upsert_bulk_;
  SqliteStatement find_;
  SqliteStatement newer_;
  SqliteStatement truncated_;
  SqliteStatement written_;
  SqliteStatement touch_;
  SqliteStatement delete_;
  SqliteStatement remove_;
  std::unordered_map<std::string, SqliteStatement> updates_;  // by the set of changed columns
  std::string update_set_;
};

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_TABLE_WRITER_H_
