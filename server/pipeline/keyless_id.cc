#include "pipeline/keyless_id.h"

#include <algorithm>

#include "pipeline/value_conversion.h"

namespace tidemark {

KeylessId::KeylessId(const TableSchema& table, const std::vector<bool>& selected) : digest_(16) {
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (selected.empty() || selected[i]) parts_.push_back({table.columns[i].name, i});
  }
  std::sort(parts_.begin(), parts_.end(),
            [](const Part& a, const Part& b) { return a.name < b.name; });
}

std::string KeylessId::Of(absl::Span<const Value> row) {
  for (const Part& part : parts_) {
    if (part.column >= row.size() || row[part.column].is_null()) continue;
    digest_.Add(part.name);
    digest_.Add(CanonicalText(row[part.column]));
  }
  return Hex(digest_.Finish());
}

}  // namespace tidemark
