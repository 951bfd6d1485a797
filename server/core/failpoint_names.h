// Every failpoint there is (core/failpoint.h), in the order of a sync. tests/faults asserts that its
// suites pass each, and tests/tidy that each stands in the code once.
#ifndef TIDEMARK_CORE_FAILPOINT_NAMES_H_
#define TIDEMARK_CORE_FAILPOINT_NAMES_H_

namespace tidemark {

inline constexpr const char* kFailpointNames[] = {
    // Opening a destination and owning a connection (server/destination, server/state).
    "open.destination",
    "open.bookkeeping",
    "open.lock",
    "open.locked",
    "open.chain_verify",
    "open.epoch",
    "open.load_entry",
    "open.dead_syncs_closed",
    "open.acquired",
    "lock.release",
    // A connector as the server sees it (server/source) ...
    "connector.spawn",
    "connector.spawned",
    "connector.describe",
    "connector.check",
    "connector.schema",
    "connector.validate_state",
    "connector.start",
    "connector.read",
    "connector.decode",
    "connector.acknowledge",
    "connector.close",
    "connector.cancel",
    // ... and in its own process (server/plugin_host).
    "plugin.create",
    "plugin.schema",
    "plugin.validate_state",
    "plugin.update",
    "plugin.rows",
    "plugin.checkpoint",
    "plugin.checkpoint_sent",
    "plugin.acknowledged",
    "plugin.finish",
    "plugin.destroy",
    // A sync and its attempts (server/pipeline).
    "sync.begin",
    "sync.begun",
    "sync.retry",
    "sync.record",
    "sync.recorded",
    "sync.released",
    "attempt.begin",
    "attempt.batch",
    "attempt.checkpoint",
    "attempt.commit",
    "attempt.interrupted",
    "attempt.tail_discarded",
    "attempt.finish",
    "attempt.end",
    "acknowledge.before",
    "acknowledge.after",
    "run.report",
    // A group's transaction: protocol A of semantics.md, section 6 (server/destination, state).
    "apply.begun",
    "apply.create_table",
    "apply.add_column",
    "apply.widen",
    "apply.rebuild",
    "apply.widened",
    "apply.rows",
    "apply.rows_applied",
    "apply.key_change",
    "apply.dead_letter",
    "apply.truncate",
    "apply.truncate_finish",
    "apply.fence",
    "apply.state_swap",
    "apply.history",
    "apply.horizon",
    "apply.before_commit",
    "apply.commit_unknown",
    "apply.settle_unknown",
    "apply.committed",
    "apply.rollback",
};

}  // namespace tidemark

#endif  // TIDEMARK_CORE_FAILPOINT_NAMES_H_
