#include "state/append_check.h"

#include "absl/strings/str_cat.h"
#include "core/digest.h"

namespace tidemark {
namespace {

std::string WhatIsWrong(const VersionAppend& append, const std::string& connection) {
  const StateVersion& version = append.version;
  StateEntry entry;
  entry.schema = append.schema;
  entry.table = append.table;
  if (version.connection != connection) return "it is of another connection";
  if (EntryName(entry) != version.entry) return "its entry is not that of its table";
  if (Blake2b256(version.body) != version.body_hash) return "its body does not match its hash";
  if (ComputeChain(version) != version.chain) return "it does not match its chain value";
  const bool repairs = version.kind == StateKind::kRepair;
  // A repair may find any number in a damaged head.
  if (version.version < 1 || (append.expected_version < 0 && !repairs)) {
    return "versions count from 1";
  }
  if (version.parent < 0 || version.parent >= version.version) return "its parent is no older one";
  // A new entry, or one whose whole history is set aside for a newer one.
  const bool begins =
      append.anchor.has_value() && (append.expected_version == 0 || !append.set_aside.empty());
  if (repairs) return "";
  if (begins) {
    if (version.version <= append.expected_version) return "it does not grow";
    if (version.prev_chain != *append.anchor) {
      return "it is not chained to the anchor";
    }
    return "";
  }
  if (!append.set_aside.empty() || append.anchor.has_value()) {
    return "only a repair sets versions aside or moves the anchor";
  }
  if (version.version != append.expected_version + 1) return "it does not follow the head";
  if (version.prev_chain != append.expected_chain) return "it is not chained to the head";
  return "";
}

}  // namespace

absl::Status CheckAppends(absl::Span<const VersionAppend> appends, const std::string& connection) {
  for (const VersionAppend& append : appends) {
    const std::string wrong = WhatIsWrong(append, connection);
    if (wrong.empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("version ", append.version.version, " of state entry \"", append.version.entry,
                     "\" of connection \"", connection, "\" cannot be appended: ", wrong));
  }
  return absl::OkStatus();
}

}  // namespace tidemark
