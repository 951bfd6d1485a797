// One state version as one line of JSON: backups. Pure functions.
#ifndef TIDEMARK_STATE_VERSION_JSON_H_
#define TIDEMARK_STATE_VERSION_JSON_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "state/state_store.h"
#include "state/state_version.h"

namespace tidemark {

// Without a line end. `readable`: OK, or why the version could not be read whole.
std::string VersionToLine(const StateVersion& version, const absl::Status& readable);
// Every member must be there. DATA_LOSS says what is wrong, also of an unreadable version. The
// connection is not part of the line.
absl::StatusOr<StateVersion> VersionFromLine(absl::string_view line);

std::string HeadToLine(const StateHead& head);
absl::StatusOr<StateHead> HeadFromLine(absl::string_view line);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_VERSION_JSON_H_
