// Turns a connector's rows into rows of the destination's table: checks every value against its
// column's type, converts exactly, infers types of undeclared columns, sets bad rows aside.
//
// What Destination::Apply receives: every row has a value for each column of the TargetTable, in
// its order, of the kind StoredKind(type) (pipeline/value_conversion.h) or NULL; never NULL or
// UNCHANGED in a key; UNCHANGED only in updates, and in a change of the key only where the
// connector left a value out that its table has; deletes hold the key and NULLs; `before` only on
// updates whose key changed, with the old key and UNCHANGED elsewhere; no truncates.
#ifndef TIDEMARK_PIPELINE_CONFORM_H_
#define TIDEMARK_PIPELINE_CONFORM_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/change_batch.h"
#include "pipeline/keyless_id.h"
#include "pipeline/table_target.h"
#include "pipeline/value_conversion.h"

namespace tidemark {

// A change that became a dead letter; its text is made before the row is gone.
struct BadRow {
  uint32_t row = 0;       // in the batch as the source sent it
  absl::Status status;    // names the column, never the value
  std::string record_id;  // may be empty
  std::string key_json;
  std::string change_json;
  RowMeta meta;  // its stamp, where it had one
  bool on_error_continue = false;
};

// A wider type for one of the target's columns.
struct TypeChange {
  uint32_t column = 0;  // in the target
  ColumnType type;
};

// One table of one attempt. Thread-compatible.
class Conformer {
 public:
  Conformer(const ConversionOptions& options, bool infer_dates);

  // After the table was made, grew, or one of its types changed.
  void SetTarget(const TableTarget& target);

  // The types that inferred columns need for this batch, where they differ from the target's.
  // Cheap when every column is declared. REQUIRES: CheckShape(batch).
  std::vector<TypeChange> Infer(const ChangeBatch& batch);

  // INTERNAL ("plugin misbehaved") when the batch's arrays do not fit each other or the table, or
  // an operation is unknown.
  absl::Status CheckShape(const ChangeBatch& batch) const;

  // Rewrites `batch` as described above, without its truncates and bad rows; `truncated_after`
  // receives, for each truncate in order, how many rows of the result come before it.
  // REQUIRES: CheckShape(batch), and the target holds what Infer() asked for.
  void Conform(ChangeBatch* batch, std::vector<BadRow>* bad,
               std::vector<uint32_t>* truncated_after);

  // Where row `row` of the last conformed batch stood before. REQUIRES: there is such a row.
  uint32_t PlaceBefore(uint32_t row) const;

  // By target column; taken (and emptied) at each commit.
  std::vector<ConversionNotes> TakeNotes();

 private:
  struct Plan {  // of one source column
    DataType type = DataType::kUndeclared;
    bool used = false;
    bool key = false;
    bool inferred = false;
    int32_t precision = 0;
    int32_t scale = 0;
    uint32_t place = kDropped;
  };
  struct RowFault {
    uint32_t column = kDropped;  // of the source; kDropped: none
    absl::Status status;
  };

  bool Fits(const Plan& plan, const Value& value);
  std::optional<RowFault> ConformRow(ChangeKind kind, absl::Span<Value> row);
  std::optional<RowFault> ConformBefore(absl::Span<Value> before);
  absl::Status ConformValue(const Plan& plan, Value* value);
  // The keyless id of row `row` and, for updates, of its old row, number before_end - 1, from which
  // the row takes what it does not give.
  std::optional<RowFault> MakeIds(ChangeBatch* batch, size_t row, size_t before_end,
                                  absl::Span<const Value> before);
  void AddBad(const ChangeBatch& batch, size_t row, absl::Span<const Value> before,
              const RowFault& fault, std::vector<BadRow>* bad) const;
  // Copies the rows that are `good_` into the target's layout (conform_layout.cc).
  void Relayout(ChangeBatch* batch, uint32_t good_rows);
  // Row `row` has a value for every column that the source has now.
  bool GivesAll(const ChangeBatch& batch, size_t row) const;
  // Appends old row `index`, unless its key is that of `after`, the new row.
  void AppendBefore(const ChangeBatch& batch, size_t index, absl::Span<const Value> after,
                    std::vector<Value>* before) const;
  TextArena* Arena();

  ValueConverter converter_;
  const bool infer_dates_;
  const uint64_t max_bytes_;  // of one value
  const TableTarget* target_ = nullptr;
  std::vector<Plan> plans_;             // by source column
  std::vector<ColumnType> inferred_;    // by source column: type so far
  std::vector<bool> nonfinite_;         // by source column: a NaN or infinity was seen
  std::vector<ConversionNotes> notes_;  // by target column
  bool any_inferred_ = false;
  std::unique_ptr<KeylessId> keyless_;
  std::unique_ptr<TextArena> arena_;  // of the batch at hand
  std::vector<bool> good_;            // by row of the batch at hand
  std::vector<Value> ids_;            // by row: keyless id; then by before row: the old one
};

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_CONFORM_H_
