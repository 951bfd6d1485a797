// Values that are written as text.
#ifndef TIDEMARK_FILES_VALUE_TEXT_H_
#define TIDEMARK_FILES_VALUE_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tidemark/schema.h"
#include "tidemark/value.h"

namespace tidemark::files {

// A type as people write it: LONG, DECIMAL(12,2).
struct TypeText {
  Type type = kUndeclared;
  int32_t precision = 0;
  int32_t scale = 0;

  // Nothing for a text that is no type.
  static std::optional<TypeText> Parse(absl::string_view text);
};

// The value of a declared type. May borrow `text`. INVALID_ARGUMENT if it is none of that type.
absl::StatusOr<Value> ReadValue(absl::string_view text, Type type);

// A number if it is written as one that reads back the same: 7, -1.50, but not 007, 1e5 or +1;
// else the text. Borrows `text`.
Value InferValue(absl::string_view text);

}  // namespace tidemark::files

#endif  // TIDEMARK_FILES_VALUE_TEXT_H_
