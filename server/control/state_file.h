// files/state.json of `tidemark debug`: a connector's state as authors write and read it.
//
// Grammar: one JSON object. Without the member "tidemark_state" it is the body of the
// connection-wide entry, byte for byte; {} is the empty state. Otherwise
//   {"tidemark_state": 1, "entries": [{"schema": "", "table": "", "body": TEXT | "body_json": JSON
//    | "body_base64": TEXT, "cursor": TEXT, "format": N}, ...]}
// for states of several entries, and for bodies that are no JSON object.
#ifndef TIDEMARK_CONTROL_STATE_FILE_H_
#define TIDEMARK_CONTROL_STATE_FILE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/checkpoint.h"

namespace tidemark {

std::string FormatStateFile(const std::vector<StateEntry>& entries);
// INVALID_ARGUMENT names `label` and what is wrong.
absl::StatusOr<std::vector<StateEntry>> ParseStateFile(const std::string& label,
                                                       absl::string_view text);

// Equal as JSON where both are JSON, else byte for byte; {} and nothing are the same.
bool SameStateBody(absl::string_view a, absl::string_view b);

}  // namespace tidemark

#endif  // TIDEMARK_CONTROL_STATE_FILE_H_
