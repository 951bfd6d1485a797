// YAML text -> ConfigNode. The only place that knows yaml-cpp and catches what it throws.
#ifndef TIDEMARK_CONTROL_YAML_TEXT_H_
#define TIDEMARK_CONTROL_YAML_TEXT_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "control/config_node.h"

namespace tidemark {

// Parses one document. INVALID_ARGUMENT "label:line:column: ..." for text that is no YAML, a key
// given twice, a pasted choice ("a" | "b": "line 3: choose one of a, b"), bytes that are no text,
// and more than 100,000 nodes, 16 MiB or 64 levels, each alias counted as what it stands for.
absl::StatusOr<ConfigNode> ParseYaml(absl::string_view label, absl::string_view text);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_YAML_TEXT_H_
