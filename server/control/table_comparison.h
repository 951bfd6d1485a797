// Compares one table of a source with its copy at the destination, down to the rows that differ.
#ifndef TIDEMARK_CONTROL_TABLE_COMPARISON_H_
#define TIDEMARK_CONTROL_TABLE_COMPARISON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "control/record_spool.h"
#include "control/row_image.h"
#include "control/source_rows.h"
#include "control/stored_images.h"

namespace tidemark {

enum class Difference : char {
  kMissing = 'm',    // at the source only
  kExtra = 'x',      // at the destination only
  kDifferent = 'd',  // other values
};

struct TableDifferences {
  uint64_t missing = 0;
  uint64_t extra = 0;
  uint64_t different = 0;
  uint64_t source_rows = 0;
  uint64_t stored_rows = 0;
  uint64_t ranges = 0;          // compared by count and hash; 0: read as a whole
  uint64_t unequal_ranges = 0;  // of these
  UnreadableRecords unreadable;
  // A record for each row that differs: a byte Difference, then the encoded key. In key order when
  // compared by ranges.
  RecordSpool keys;
  std::vector<std::string> warnings;

  uint64_t total() const { return missing + extra + different; }
};

// How a table can be compared.
struct ComparisonWays {
  bool ranges = false;            // both sides have the same order of keys
  bool keys = false;              // single rows can be asked for by the key of the destination
  std::optional<ReadMode> whole;  // how every row is read, in whatever order; nothing: not at all
};
// `table`: as Schema() said it.
ComparisonWays WaysToCompare(const TableSchema& table, const SourceRows& source);

// Used once. Memory is bounded: a range has at most kRangeRows rows of the source; a table that
// cannot be read in order goes through temporary files in kPartitions parts.
//
// What differs is read once more before it counts, at the source and then at the destination: rows
// may have changed while the table was read.
class TableComparison {
 public:
  static constexpr size_t kRangeRows = 4096;
  static constexpr size_t kPartitions = 64;
  static constexpr size_t kKeysAtOnce = 1000;

  TableComparison(SourceRows& source, StoredImages& stored, const ComparisonWays& ways)
      : source_(source), stored_(stored), ways_(ways) {}

  absl::StatusOr<TableDifferences> Run();

 private:
  using Images = absl::Span<const RowImage>;

  // One comparison of everything; again while the types of the target still move.
  absl::StatusOr<TableDifferences> Pass();
  absl::Status PassByRanges(TableDifferences* found);
  absl::Status OnSourceRow(RowImage row, TableDifferences* found);
  absl::Status CompareRange(Images rows, absl::string_view lower, absl::string_view upper,
                            TableDifferences* found);
  absl::Status CompareRows(Images rows, absl::string_view lower, absl::string_view upper,
                           TableDifferences* found);
  absl::Status PassByParts(TableDifferences* found);
  absl::Status ComparePart(RecordSpool* source, RecordSpool* stored, TableDifferences* found);

  absl::Status RecheckByKeys(TableDifferences* first, TableDifferences* found);
  absl::Status RecheckKeys(const std::vector<std::string>& keys, TableDifferences* found);
  absl::Status RecheckByPass(TableDifferences* first, TableDifferences* found);

  static absl::Status Note(Difference difference, absl::string_view key, TableDifferences* found);
  // The pair is one row of both sides; either may be null.
  static absl::Status NotePair(const RowImage* source, const RowImage* stored,
                               TableDifferences* found);
  absl::Status OutOfOrder(absl::string_view side);

  SourceRows& source_;
  StoredImages& stored_;
  ComparisonWays ways_;
  bool out_of_order_ = false;
  std::vector<RowImage> range_;  // the rows of the source at hand
  std::string range_lower_;      // encoded key; empty: none
};

// The n-th record of TableDifferences::keys taken apart.
Difference DifferenceOf(absl::string_view record);
absl::string_view KeyOf(absl::string_view record);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_TABLE_COMPARISON_H_
