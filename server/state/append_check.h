// What every StateStore asks of an append before it writes anything.
#ifndef TIDEMARK_STATE_APPEND_CHECK_H_
#define TIDEMARK_STATE_APPEND_CHECK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "state/state_store.h"

namespace tidemark {

// Invariant I3: the version grows by exactly one. INVALID_ARGUMENT where the versions are not of
// `connection` or not what their hashes say, where a version does not follow expected_version, or
// is not chained to expected_chain. Exceptions:
//   a repair             may leave a gap of numbers, is chained to its parent, and may find any
//                        number in a damaged head;
//   a new entry          (expected_version 0) with an anchor begins at any number, chained to it;
//                        so does one whose whole history is set aside;
//   set_aside and anchor are for those two only.
absl::Status CheckAppends(absl::Span<const VersionAppend> appends, const std::string& connection);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_APPEND_CHECK_H_
