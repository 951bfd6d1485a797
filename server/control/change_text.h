// A change as text (pipeline/row_text.h writes it into dead letters) read back into a row.
#ifndef TIDEMARK_CONTROL_CHANGE_TEXT_H_
#define TIDEMARK_CONTROL_CHANGE_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/change_batch.h"
#include "core/schema.h"

namespace tidemark {

// A value of a change as it stands in the text.
struct ChangeField {
  std::string column;
  std::string json;
};

struct ChangeText {
  ChangeKind kind = ChangeKind::kUpsert;
  std::vector<ChangeField> values;
  std::vector<ChangeField> before;
};

// {"op": "upsert" | "update" | "delete" | "snapshot", "values": {..}, "before": {..}}.
// INVALID_ARGUMENT says what is wrong.
absl::StatusOr<ChangeText> ParseChangeText(absl::string_view text);

// {"id":7} of the key columns, as pipeline/row_text.h writes it; empty when there is none.
std::string KeyOf(const ChangeText& change, const std::vector<std::string>& key_columns);

// A batch of the one row, for columns of `table` (as the source calls them; every field's column
// must be there). Numbers, texts and JSON become values as they stand, hexadecimal text of a BINARY
// column bytes; what a column's type makes of them is the pipeline's business. The batch owns its
// text. INVALID_ARGUMENT: a sensitive value is hidden ("***").
absl::StatusOr<ChangeBatch> ChangeToBatch(const ChangeText& change, const TableSchema& table);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_CHANGE_TEXT_H_
