// The type that a single value suggests for a column without a declared one (semantics.md
// section 2). Pure.
#ifndef TIDEMARK_PIPELINE_TYPE_INFERENCE_H_
#define TIDEMARK_PIPELINE_TYPE_INFERENCE_H_

#include "core/type.h"
#include "core/value.h"

namespace tidemark {

// Integers LONG, fractions DOUBLE, decimals DECIMAL, text STRING (with `dates`: ISO 8601 dates and
// times as such), the others by their kind. NULL and UNCHANGED suggest nothing.
ColumnType InferredType(const Value& value, bool dates);

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_TYPE_INFERENCE_H_
