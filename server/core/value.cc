#include "core/value.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace tidemark {

bool SameValue(const Value& a, const Value& b) {
  if (a.kind != b.kind) return false;
  if (a.is_text()) return a.view() == b.view();
  if (a.kind == ValueKind::kNull || a.kind == ValueKind::kUnchanged) return true;
  if (a.kind == ValueKind::kDouble) {
    return std::bit_cast<uint64_t>(a.f64) == std::bit_cast<uint64_t>(b.f64);
  }
  return a.i64 == b.i64;
}

bool IsWholeRow(absl::Span<const Value> values, size_t columns) {
  return values.size() >= columns && std::none_of(values.begin(), values.end(),
                                                  [](const Value& v) { return v.is_unchanged(); });
}

}  // namespace tidemark
