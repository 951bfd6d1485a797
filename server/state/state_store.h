// Where the versions of one connection's state are kept: in the destination (its bookkeeping
// tables), in a SQLite file, in plain files, in PostgreSQL, in Redis. One conformance suite for all
// (tests/state/state_store_conformance.h).
//
// A store object is opened for one connection name. Reading needs no ownership and never locks out
// a running sync. Writing needs Acquire(): it takes the connection's next epoch, which fences every
// earlier holder (semantics.md section 6). Confined to one thread.
#ifndef TIDEMARK_STATE_STATE_STORE_H_
#define TIDEMARK_STATE_STATE_STORE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "state/state_commit.h"
#include "state/state_version.h"

namespace tidemark {

// The current version of one entry, as the store's head row says it; not verified.
struct StateHead {
  std::string entry;
  std::string schema;  // of the source's table; both empty: the connection-wide entry
  std::string table;
  int64_t version = 0;
  std::string chain;   // raw; of that version
  std::string anchor;  // raw; chain value before the oldest kept version, empty: version 1 is kept
};

// Who holds a connection, or held it last.
struct StateHolder {
  int64_t epoch = 0;
  std::string holder;  // for people: "tidemark run, pid 4711 on host"
  std::string boot_id;
  int64_t pid = 0;
  int64_t pid_start = 0;  // clock ticks after boot, field 22 of /proc/PID/stat
  int64_t acquired_at_us = 0;
  int64_t expires_at_us = kNoTime;  // of a lease; kNoTime: held by a lock of the file system
  bool held = false;                // as far as the store can tell: locked, or an unexpired lease
};

struct OwnershipRequest {
  std::string holder;  // for people
  // Bumps the epoch whatever lock or lease says (`--take-over`); the old holder is fenced.
  bool take_over = false;
  // Of a repair: makes anew what is missing of the store although the connection has synced before
  // (its versions are then appended from a copy). Without it that is DATA_LOSS.
  bool rebuild = false;
  HistoryRetention retention;
  RollbackHorizon horizon;
};

// One version as read back. `readable` is not OK where a field cannot be understood at all (an
// unknown kind, a value of another type); the fields that could be read are set all the same.
struct StoredVersion {
  StateVersion version;
  absl::Status readable;
  int64_t body_bytes = -1;  // size of the body, also without VersionQuery::bodies; -1: not known
};

struct VersionQuery {
  std::string entry;
  int64_t first = 1;   // lowest version wanted
  int64_t limit = -1;  // at most this many, negative: all
  bool newest_first = false;
  bool bodies = true;
};

// One entry's part of an Append. All entries of one call are written in one atomic step.
struct VersionAppend {
  std::string schema;
  std::string table;
  // Complete: version, parent, epoch, hashes and chain are computed (state/next_version.h).
  StateVersion version;
  // Compare-and-set on the head as it was read; version 0: the entry must not exist.
  int64_t expected_version = 0;
  std::string expected_chain;
  // Only of a repair: damaged versions that are moved out of the history, never deleted (they stay
  // readable in the store under their number), and the anchor that the rest then verifies from.
  std::vector<int64_t> set_aside;
  std::optional<std::string> anchor;
};

// A line of the audit record: every automatic or manual change of state beside a sync.
struct AuditRecord {
  int64_t at_us = 0;
  std::string action;  // "repair", "rollback", "reset", "restore", "import", "migrate", "take-over"
  std::string entry;
  std::string by;      // holder text
  std::string detail;  // sentence: what was found, what was done, hashes before and after
};

class StateStore {
 public:
  virtual ~StateStore() = default;

  // "SQLite file state.db", "Redis at unix:/run/redis.sock": for messages, never a secret.
  virtual std::string Describe() const = 0;

  // nullopt: nobody ever held it. Also NOT an error when the store is empty.
  virtual absl::StatusOr<std::optional<StateHolder>> Holder() = 0;
  // Entries in ascending order of name. Entries that have history but no head are listed with
  // version 0, so that a repair sees them.
  // DATA_LOSS: the store itself cannot be read (SQLITE_CORRUPT, not a database, a torn manifest).
  // NOT_FOUND: the store does not exist, or its tables are gone.
  virtual absl::StatusOr<std::vector<StateHead>> Heads() = 0;
  // Calls `each` per version; an error of `each` ends the reading and is returned.
  virtual absl::Status ReadVersions(const VersionQuery& query,
                                    const std::function<absl::Status(StoredVersion&)>& each) = 0;
  virtual absl::StatusOr<std::vector<AuditRecord>> Audit(int64_t limit) = 0;  // newest first

  // Becomes the holder with a new epoch, which is returned; creates the store where it is missing.
  // FAILED_PRECONDITION: somebody else works on it; the text names holder and since when.
  // UNAVAILABLE: the store does not answer.
  virtual absl::StatusOr<int64_t> Acquire(const OwnershipRequest& request) = 0;
  // Extends a lease. FAILED_PRECONDITION (FENCED): ownership was lost. OK where nothing expires.
  virtual absl::Status Renew() = 0;
  // FAILED_PRECONDITION: FENCED, another holder took the connection. DATA_LOSS: DIVERGED, a head is
  // not as expected. RESOURCE_EXHAUSTED: no space. Nothing is written then. ABORTED: the outcome is
  // not known; read Heads() and compare group_id.
  // Several appends of one entry are applied in their order, each on the one before. An append that
  // breaks the rules of state/append_check.h is INVALID_ARGUMENT.
  // Applies retention afterwards, inside the rollback horizon of OwnershipRequest.
  virtual absl::Status Append(absl::Span<const VersionAppend> appends,
                              absl::Span<const AuditRecord> audit) = 0;
  // Gives the connection back. Also done by the destructor.
  virtual void Release() = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_STATE_STORE_H_
