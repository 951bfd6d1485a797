// Rows as text for people: dead letters, error messages, record ids. Pure functions.
#ifndef TIDEMARK_PIPELINE_ROW_TEXT_H_
#define TIDEMARK_PIPELINE_ROW_TEXT_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/change_batch.h"
#include "core/schema.h"
#include "core/value.h"
#include "destination/destination.h"

namespace tidemark {

// What the text of a row needs to know of a column. `name` borrows from the schema.
struct NamedColumn {
  absl::string_view name;
  bool key = false;
  bool sensitive = false;  // its values are "***"
};
std::vector<NamedColumn> NamedColumns(const TableSchema& table);
std::vector<NamedColumn> NamedColumns(const TargetTable& table);

absl::string_view ChangeKindName(ChangeKind kind);  // "upsert", ...

// {"op":"update","values":{..},"before":{..}}: columns that are UNCHANGED or not given are left
// out; decimals, times and bytes are strings, JSON stands as it is. `before` may be empty.
std::string ChangeJson(ChangeKind kind, absl::Span<const NamedColumn> columns,
                       absl::Span<const Value> row, absl::Span<const Value> before);
// {"id":7}; empty when there is no key.
std::string KeyJson(absl::Span<const NamedColumn> columns, absl::Span<const Value> row);
// The key as text: 7, or ["a",7] for a composite key; empty when there is no key.
std::string RecordId(absl::Span<const NamedColumn> columns, absl::Span<const Value> row);

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_ROW_TEXT_H_
