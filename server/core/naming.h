// Names of tables and columns at the destination (semantics.md section 3).
#ifndef TIDEMARK_CORE_NAMING_H_
#define TIDEMARK_CORE_NAMING_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark {

enum class Naming { kSource, kSnakeCase };

// Case-insensitive "source" or "snake_case". UNIMPLEMENTED for "fivetran" (comes with the Fivetran
// issue), INVALID_ARGUMENT with the choices for anything else.
absl::StatusOr<Naming> ParseNaming(absl::string_view text);

// kSource: unchanged. kSnakeCase: words split at case changes, at digits' edges unchanged, every
// character outside [a-z0-9_] (after ASCII lower-casing; non-ASCII letters stay) becomes "_", runs
// of "_" collapse. Idempotent.
std::string ApplyNaming(Naming naming, absl::string_view name);

}  // namespace tidemark

#endif  // TIDEMARK_CORE_NAMING_H_
