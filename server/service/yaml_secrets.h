// Showing a connection file without the secrets in it. Pure function; thread-safe.
#ifndef TIDEMARK_SERVICE_YAML_SECRETS_H_
#define TIDEMARK_SERVICE_YAML_SECRETS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace tidemark {

// `yaml` with "***" in place of every value whose key names a secret (an address of a source or a
// storage, and what NamesSecret() of control/references.h says where the table of keys has no key
// of that name), unless it is a reference. Everything else stays as it was written. What is no
// YAML, or repeats a secret where it cannot be told apart, is not shown at all.
std::string WithoutSecrets(absl::string_view yaml);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_YAML_SECRETS_H_
