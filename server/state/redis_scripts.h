// The scripts that write a connection's state in Redis. Each is one atomic step; none begins to
// write before everything it checks is right, because Redis keeps what a failing script has done.
#ifndef TIDEMARK_STATE_REDIS_SCRIPTS_H_
#define TIDEMARK_STATE_REDIS_SCRIPTS_H_

namespace tidemark {

// KEYS[1]: the prefix of the connection's keys (redis_scripts.cc says which there are).

// ARGV: holder boot_id pid pid_start lease_ms take_over("1"|"0") gone_epoch("" or the epoch whose
// holder is known to be gone) audit_by
// -> {"ok", epoch} or {"held"}
extern const char kRedisAcquire[];

// ARGV: epoch lease_ms -> {"ok"} or {"fenced"}
extern const char kRedisRenew[];

// ARGV: epoch -> {"ok"} or {"fenced"}
extern const char kRedisRelease[];

// ARGV: epoch max_versions max_bytes newer_versions appends audits
//       per append: entry schema table expected_version expected_chain version chain value
//       body_hash
//                   body has_anchor("1"|"0") anchor set_aside_count set_aside..
//       per audit: value
// -> {"ok"}, {"fenced"}, {"diverged", entry}, {"damaged", key}
extern const char kRedisAppend[];

}  // namespace tidemark

#endif  // TIDEMARK_STATE_REDIS_SCRIPTS_H_
