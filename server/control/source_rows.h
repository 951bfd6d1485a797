// Rows of one table as the source has them now, made into what the destination would store of them.
#ifndef TIDEMARK_CONTROL_SOURCE_ROWS_H_
#define TIDEMARK_CONTROL_SOURCE_ROWS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "control/row_image.h"
#include "pipeline/change_source.h"
#include "pipeline/conform.h"
#include "pipeline/table_target.h"

namespace tidemark {

// What becomes of a table at the destination: as a sync of the same options does it.
struct ConformSettings {
  TableRule rule;
  Naming naming = Naming::kSource;
  DestinationLimits limits;
  ConversionOptions conversion;
  bool infer_dates = false;
};

// Records of the source that the destination could not store.
struct UnreadableRecords {
  uint64_t count = 0;
  uint64_t without_key = 0;  // of these: it is not known which row they are
};

// Confined to one thread. Borrows the source, whose Schema() was asked for.
class SourceRows {
 public:
  using Row = absl::FunctionRef<absl::Status(RowImage row)>;

  // `table`: what Schema() says of table `number`; `stored`: what stands at the destination, or
  // null. FAILED_PRECONDITION as TableTarget::Create.
  static absl::StatusOr<std::unique_ptr<SourceRows>> Create(ChangeSource& source, uint32_t number,
                                                            const TableSchema& table,
                                                            const ConformSettings& settings,
                                                            const TargetTable* stored);

  // Reads what `start` says (its table and columns are filled in). A row that the destination could
  // not store (it would become a dead letter) comes with an empty digest where its key is known.
  // Invariant I5: as many rows as the source says it sent.
  absl::Status Read(ReadStart start, Row row);

  const TableTarget& target() const { return target_; }
  // Target columns that make the key, in the order of the source's key columns (the keyless id for
  // a table without a key).
  const std::vector<size_t>& key() const { return key_; }
  // Target columns that the source fills, without the key.
  const std::vector<uint32_t>& compared() const { return compared_; }

  // The target has changed in the middle of a read since the last call: rows before and after are
  // not comparable, it must be read again.
  bool TakeTargetChanged();
  // Since the last call.
  UnreadableRecords TakeUnreadable();
  // What the source said while it read; a sentence each.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  SourceRows(ChangeSource& source, uint32_t number, const TableSchema& table, TableTarget target,
             const ConformSettings& settings);
  // Every read stands alone: its definitions count from Schema()'s.
  absl::Status Begin();
  absl::Status OnDefinition(const TableDefinition& definition);
  absl::Status OnFinished(const Finished& finished) const;
  absl::Status OnBatch(ChangeBatch batch, Row row);
  absl::Status OneByOne(const ChangeBatch& batch, const std::vector<Value>& values, Row row);
  void Choose();
  RowImage Image(absl::Span<const Value> row);

  ChangeSource& source_;
  const uint32_t number_;
  const TableSchema table_;  // as Schema() said it
  const ConformSettings settings_;
  TableTarget target_;
  Conformer conformer_;
  std::vector<size_t> key_;
  std::vector<uint32_t> compared_;
  RowDigest digest_;
  bool target_changed_ = false;
  UnreadableRecords unreadable_;
  uint64_t received_ = 0;  // in this read
  std::vector<std::string> warnings_;
};

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_SOURCE_ROWS_H_
