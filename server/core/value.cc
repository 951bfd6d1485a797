#include "core/value.h"

#include <cstring>

namespace tidemark {

bool SameValue(const Value& a, const Value& b) {
  if (a.kind != b.kind) return false;
  if (a.is_text()) return a.view() == b.view();
  if (a.kind == ValueKind::kNull || a.kind == ValueKind::kUnchanged) return true;
  if (a.kind == ValueKind::kDouble) return std::memcmp(&a.f64, &b.f64, sizeof(double)) == 0;
  return a.i64 == b.i64;
}

}  // namespace tidemark
