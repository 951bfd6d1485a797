#include "state/next_version.h"

#include "core/digest.h"

namespace tidemark {

VersionAppend AppendAfter(const std::string& connection, const StateHead& head,
                          const NextVersion& next) {
  VersionAppend append;
  append.schema = next.state.schema;
  append.table = next.state.table;
  append.expected_version = head.version;
  append.expected_chain = head.chain;
  StateVersion& version = append.version;
  version.connection = connection;
  version.entry = EntryName(next.state);
  version.version = head.version + 1;  // Invariant I3.
  version.parent = next.parent == 0 ? head.version : next.parent;
  version.epoch = next.epoch;
  version.kind = next.kind;
  version.format = next.state.format;
  version.body = next.state.body;
  version.body_hash = Blake2b256(version.body);
  version.prev_chain = head.chain;
  version.sync_id = next.sync_id;
  version.group_id = next.group_id;
  version.cursor = next.state.cursor;
  version.watermark_us = next.state.watermark_us;
  version.created_at_us = next.now_us;
  version.engine = next.engine;
  version.chain = ComputeChain(version);
  return append;
}

}  // namespace tidemark
