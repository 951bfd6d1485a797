// Definitions of connections for people: what changed.
#ifndef TIDEMARK_SERVICE_DEFINITION_TEXT_H_
#define TIDEMARK_SERVICE_DEFINITION_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tidemark {

// What differs between two definitions, a line for each key in the order of its name:
// "sync.batch_size: 1000 (default) -> 500", "cdc.timestamp.start: 2024-01-01 -> not set". Secrets
// are "***". At most 200 lines, a last one with the number of others. Empty: the same, or comments
// and layout only. REQUIRES: both are YAML, or empty.
std::vector<std::string> DefinitionChanges(absl::string_view before, absl::string_view after);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_DEFINITION_TEXT_H_
