// The type that a single value suggests for a column without a declared one (semantics.md
// section 2). Pure.
#ifndef TIDEMARK_PIPELINE_TYPE_INFERENCE_H_
#define TIDEMARK_PIPELINE_TYPE_INFERENCE_H_

#include <cstdint>

#include "core/type.h"
#include "core/value.h"

namespace tidemark {

// Integers LONG, fractions DOUBLE, decimals DECIMAL, text STRING (with `dates`: ISO 8601 dates and
// times as such), the others by their kind. NULL and UNCHANGED suggest nothing.
ColumnType InferredType(const Value& value, bool dates);

inline uint64_t AbsOf(int64_t value) {
  return value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_TYPE_INFERENCE_H_
