// The key of tables without one (semantics.md section 3, kIdColumn).
#ifndef TIDEMARK_PIPELINE_KEYLESS_ID_H_
#define TIDEMARK_PIPELINE_KEYLESS_ID_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "core/digest.h"
#include "core/schema.h"
#include "core/value.h"

namespace tidemark {

// BLAKE2b-128, as 32 lower-case hexadecimal digits, over (source column name, canonical text) of
// the values that are not NULL, each length-prefixed, in the order of the names' bytes. A new
// column of NULLs and a wider type do not change it. Thread-compatible.
class KeylessId {
 public:
  // `selected`: by column; empty: all.
  KeylessId(const TableSchema& table, const std::vector<bool>& selected);

  // `row` may be shorter than the table: the rest counts as NULL.
  // REQUIRES: no value is UNCHANGED.
  std::string Of(absl::Span<const Value> row);

 private:
  struct Part {
    std::string name;
    size_t column;
  };
  std::vector<Part> parts_;  // by name
  Digest digest_;
};

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_KEYLESS_ID_H_
