// Checks the versions of one state entry one after the other, so that no more than one body needs
// to be in memory.
#ifndef TIDEMARK_STATE_CHAIN_VERIFIER_H_
#define TIDEMARK_STATE_CHAIN_VERIFIER_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "state/state_version.h"

namespace tidemark {

// Thread-compatible.
class ChainVerifier {
 public:
  // `anchor`: the chain value before the first version; empty: the first must be version 1.
  explicit ChainVerifier(absl::string_view anchor) : chain_(anchor) {}

  // The next version in ascending order, with its body. Numbers grow by one; only a version of kind
  // repair may leave a gap, and only when it builds on the version before the gap (its parent, its
  // prev_chain), or on nothing (parent 0) as the first one. DATA_LOSS names connection, entry,
  // version and what does not fit; nothing may be added after that.
  absl::Status Add(const StateVersion& version);

  int64_t last_version() const { return last_version_; }  // 0: none yet
  const std::string& last_chain() const { return chain_; }

 private:
  std::string chain_;  // raw; of the last version added, at first the anchor
  int64_t last_version_ = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_CHAIN_VERIFIER_H_
