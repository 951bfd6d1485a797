// Rows of a destination in the shape in which a sync of today would store them.
#ifndef TIDEMARK_CONTROL_STORED_IMAGES_H_
#define TIDEMARK_CONTROL_STORED_IMAGES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "control/row_image.h"
#include "control/source_rows.h"
#include "destination/destination.h"
#include "destination/stored_rows.h"
#include "pipeline/value_conversion.h"

namespace tidemark {

// Confined to one thread. Borrows the source, whose target says what is compared, as it is at each
// call.
class StoredImages {
 public:
  // `row` is in the columns of the source's target; borrowed.
  using Image = absl::FunctionRef<absl::Status(RowImage image, absl::Span<const Value> row)>;

  // DestinationReader::OpenRows.
  using OpenRows = absl::FunctionRef<absl::StatusOr<std::unique_ptr<StoredRows>>(
      const TargetTable& table, const std::vector<size_t>& key)>;

  // `stored`: the table as it stands; null: there is none, and it has no rows.
  static absl::StatusOr<std::unique_ptr<StoredImages>> Open(const TargetTable* stored,
                                                            const SourceRows& source,
                                                            const ConversionOptions& conversion,
                                                            OpenRows open);

  // Rows with lower <= key < upper, ascending; empty: no bound.
  absl::Status ReadRange(absl::string_view lower, absl::string_view upper, Image image);
  // Calls `image` if there is a row of the key.
  absl::Status ReadKey(absl::string_view key, Image image);
  // The rows written last.
  absl::Status ReadNewest(int64_t count,
                          absl::FunctionRef<absl::Status(RowImage image, bool deleted)> image);

 private:
  StoredImages(const SourceRows& source, const ConversionOptions& conversion)
      : source_(source), converter_(conversion) {}
  // The row in the columns of the source's target, borrowed until the next call.
  absl::Span<const Value> Convert(absl::Span<const Value> stored);
  RowImage ImageOf(absl::Span<const Value> row);

  const SourceRows& source_;
  ValueConverter converter_;
  TargetTable stored_;
  std::unique_ptr<StoredRows> rows_;  // null: no table
  std::unique_ptr<TextArena> arena_;  // of the row at hand
  std::vector<Value> row_;
  RowDigest digest_;
};

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_STORED_IMAGES_H_
