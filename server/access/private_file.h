// Reading files that hold keys: what is checked is what is read, for both go through one
// descriptor.
#ifndef TIDEMARK_ACCESS_PRIVATE_FILE_H_
#define TIDEMARK_ACCESS_PRIVATE_FILE_H_

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark {

struct PrivateFileRules {
  absl::string_view what;      // "master key": for errors
  mode_t forbidden_mode = 0;   // bits of which none may be set, such as 077
  size_t max_bytes = 1 << 20;  // a larger file is refused
};

// The whole content; the caller wipes what is secret. NOT_FOUND; PERMISSION_DENIED: it cannot be
// read, others may use it as they must not, or it belongs to neither this user nor root;
// INVALID_ARGUMENT: no plain file, or too large. Errors name path and cure, never the content.
absl::StatusOr<std::string> ReadPrivateFile(const std::string& path, const PrivateFileRules& rules);

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_PRIVATE_FILE_H_
