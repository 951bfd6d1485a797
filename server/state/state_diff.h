// What differs between two states, readable: by nested path where both bodies are JSON, by line
// where they are text, by range of bytes otherwise. Pure functions.
#ifndef TIDEMARK_STATE_STATE_DIFF_H_
#define TIDEMARK_STATE_STATE_DIFF_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "state/state_version.h"

namespace tidemark {

struct StateChange {
  enum class What { kAdded, kRemoved, kChanged };
  What what = What::kChanged;
  // "cursor", "format", "watermark"; "$.users[3].id" inside a JSON body; "line 4" of a text;
  // "bytes 16..31" of anything else (of the older body; an insertion: where it stands).
  std::string path;
  // JSON text inside a JSON body, a line, hexadecimal bytes; empty where it was or is not.
  std::string before;
  std::string after;
};
absl::string_view ChangeName(StateChange::What what);  // "added", "removed", "changed"

// In the order of the older body. Equal bodies: none. JSON bodies that differ as bytes and not as
// JSON (blanks, digits behind a double's) are compared as text. An empty body counts as {} beside
// a JSON object.
std::vector<StateChange> DiffBodies(absl::string_view before, absl::string_view after);

// Cursor, format and watermark, then the bodies. Both versions need their bodies.
std::vector<StateChange> DiffVersions(const StateVersion& before, const StateVersion& after);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_STATE_DIFF_H_
