// A change that could not be applied, kept with its whole context.
#ifndef TIDEMARK_CORE_DEAD_LETTER_H_
#define TIDEMARK_CORE_DEAD_LETTER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace tidemark {

struct DeadLetter {
  std::string table;        // qualified source name; empty: of no table
  std::string key_json;     // the row's key as JSON, or empty
  std::string change_json;  // the change as one JSON document; sensitive columns are "***"
  std::string reason;       // a sentence for people
  absl::StatusCode code = absl::StatusCode::kInvalidArgument;
  std::string context_json;  // URL, parameters, payload, error: whatever the connector knows
};

}  // namespace tidemark

#endif  // TIDEMARK_CORE_DEAD_LETTER_H_
