// How one table of a connector stands at the destination: names, types, keys and which of the
// destination's columns each source column fills.
#ifndef TIDEMARK_PIPELINE_TABLE_TARGET_H_
#define TIDEMARK_PIPELINE_TABLE_TARGET_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/naming.h"
#include "core/schema.h"
#include "destination/destination.h"
#include "pipeline/sync.h"

namespace tidemark {

inline constexpr uint32_t kDropped = std::numeric_limits<uint32_t>::max();

// Thread-compatible. A value: copies are independent.
class TableTarget {
 public:
  // `table`: the connector's definition. `stored`: what an earlier sync made of it, or null: its
  // columns keep their places, its types only widen, columns gone at the source stay (NULL from
  // now on). Errors name the table and the column:
  //   FAILED_PRECONDITION  two names collide after renaming (both are named), a reserved name, more
  //                        than the destination can hold
  static absl::StatusOr<TableTarget> Create(const TableSchema& table, const TableRule& rule,
                                            Naming naming, const DestinationLimits& limits,
                                            const TargetTable* stored);

  // Takes a later definition: columns appended, types widened. INTERNAL when it is anything else.
  absl::Status Grow(const TableSchema& table);

  const TableSchema& source() const { return source_; }  // with the rule's key and types
  const TargetTable& target() const { return target_; }
  // By source column: the index in target().columns, or kDropped.
  const std::vector<uint32_t>& places() const { return places_; }
  bool keyless() const { return keyless_; }
  // Source column i is target column i, for all of them, and nothing else is there.
  bool identity() const { return identity_; }
  // FAILED_PRECONDITION when the rule's key names a column that the source has not shown yet.
  absl::Status CheckKey() const;
  // The key columns (or, without a key, anything to store) have known types: it can be created.
  bool Creatable() const;

  // Widens an inferred column; recomputes the stale guard.
  void SetType(uint32_t column, const ColumnType& type);
  void SetMaxAbs(uint32_t column, uint64_t max_abs);
  // Why the stale guard is off although a cursor column exists; empty otherwise.
  const std::string& guard_warning() const { return guard_warning_; }

 private:
  TableTarget() = default;
  absl::Status Place(size_t source_column);
  absl::Status CheckLimits() const;
  void Finish();
  void ChooseGuard();

  TableSchema source_;
  TableRule rule_;
  Naming naming_ = Naming::kSource;
  DestinationLimits limits_;
  TargetTable target_;
  std::vector<uint32_t> places_;
  bool keyless_ = false;
  bool identity_ = false;
  std::string guard_warning_;
};

// FAILED_PRECONDITION naming both tables when two of `targets` have the same destination name
// (compared without ASCII case, as SQLite does).
absl::Status CheckTableNames(const std::vector<const TargetTable*>& targets);

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_TABLE_TARGET_H_
