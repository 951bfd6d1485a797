#include "state/chain_verifier.h"

#include "absl/strings/str_cat.h"
#include "core/canary.h"
#include "core/digest.h"

namespace tidemark {
namespace {

absl::Status Broken(const StateVersion& version, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("state of connection \"", version.connection, "\", ",
                                          version.entry.empty()
                                              ? "connection-wide entry"
                                              : absl::StrCat("entry \"", version.entry, "\""),
                                          ", version ", version.version, ": ", what));
}

}  // namespace

absl::Status ChainVerifier::Add(const StateVersion& version) {
  if (Canary("skip_the_chain_verification")) {
    last_version_ = version.version;
    chain_ = version.chain;
    return absl::OkStatus();
  }
  if (version.version < 1) return Broken(version, "versions count from 1");
  // A repair may leave a gap: it says by its parent which version it goes on from, and by its
  // prev_chain, checked below, that this is the one before it here.
  const bool repairs = version.kind == StateKind::kRepair && version.version > last_version_ &&
                       version.parent == last_version_;
  if (last_version_ != 0) {
    if (version.version != last_version_ + 1 && !repairs) {  // Invariant I3.
      return Broken(version, absl::StrCat("version ", last_version_ + 1, " is gone"));
    }
  } else if (chain_.empty() && version.version != 1 && !repairs) {
    return Broken(version, "older versions are gone and no anchor is kept");
  } else if (!chain_.empty() && version.version == 1) {
    return Broken(version, "an anchor is kept but nothing came before");
  }
  if (version.parent < 0 || version.parent >= version.version) {
    return Broken(version, absl::StrCat("version ", version.parent, " cannot be its parent"));
  }
  if (Blake2b256(version.body) != version.body_hash) {
    return Broken(version, "the body does not match its hash");
  }
  if (version.prev_chain != chain_) {
    return Broken(version, "it is not chained to the version before it");
  }
  if (ComputeChain(version) != version.chain) {
    return Broken(version, "the row does not match its chain value");
  }
  last_version_ = version.version;
  chain_ = version.chain;
  return absl::OkStatus();
}

}  // namespace tidemark
