// Who works on a connection into a SQLite file: the lock file beside it and the epoch in its row of
// _tidemark_connections (semantics.md section 6). Used by the destination at a sync and by the
// state store at a command, so that each fences the other.
#ifndef TIDEMARK_STATE_SQLITE_OWNERSHIP_H_
#define TIDEMARK_STATE_SQLITE_OWNERSHIP_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/clock.h"
#include "state/connection_lock.h"
#include "state/sqlite_connection.h"
#include "state/state_store.h"

namespace tidemark {

// The row as it stands; nullopt: there is none. `held` is what the row and the kernel say about its
// process; the lock file is not looked at.
absl::StatusOr<std::optional<StateHolder>> ReadHolder(SqliteConnection& connection,
                                                      const std::string& owner);

// REQUIRES: a transaction.
absl::Status WriteAudit(SqliteConnection& connection, const std::string& owner,
                        const AuditRecord& record);

// One connection's ownership of one file. Confined to one thread. The SqliteConnection is passed to
// each call because it may be reopened meanwhile.
class SqliteOwnership {
 public:
  struct Claim {
    std::string holder;  // for people
    bool take_over = false;
  };

  // `path` of the database file, `owner` the connection's name; `clock` is borrowed.
  SqliteOwnership(std::string path, std::string owner, Clock& clock)
      : path_(std::move(path)), owner_(std::move(owner)), clock_(clock) {}
  SqliteOwnership(const SqliteOwnership&) = delete;
  SqliteOwnership& operator=(const SqliteOwnership&) = delete;

  // Takes the lock file. FAILED_PRECONDITION names who has it and since when. With take_over it
  // goes on without it: the epoch alone keeps the old holder from writing.
  absl::Status Lock(SqliteConnection& connection, const Claim& claim);
  // What a take-over asks before it changes anything anywhere: FAILED_PRECONDITION names the
  // process that keeps the file's write lock. A file that is not there is free. Writes nothing.
  absl::Status CheckWritable(const Claim& claim);
  // Takes the next epoch. FAILED_PRECONDITION: the row's holder is alive and nobody asked to take
  // over. REQUIRES: Lock() was OK; a transaction, which makes the epoch ours when it commits.
  absl::Status TakeEpoch(SqliteConnection& connection);
  // Invariant I3: FAILED_PRECONDITION (FENCED) when another holder took the connection. Inside a
  // transaction that writes this holds up to its commit.
  absl::Status CheckEpoch(SqliteConnection& connection) const;
  // Takes the lock of a holder that is gone meanwhile, when the start had to do without.
  void RetryLock();
  // What BEGIN IMMEDIATE could not have: with the process named that keeps the file's write lock.
  absl::Status ExplainBusy(absl::Status status) const;
  // Notes that the connection is free, where the file can be written at once, and drops the lock.
  // After this, Lock() may follow.
  void Release(SqliteConnection& connection);

  int64_t epoch() const { return epoch_; }
  int64_t last_synced_us() const { return last_synced_us_; }

 private:
  absl::Status CheckWriter() const;
  absl::Status HeldBy(const std::optional<StateHolder>& holder) const;

  const std::string path_;
  const std::string owner_;
  Clock& clock_;
  Claim claim_;
  std::unique_ptr<ConnectionLock> lock_;  // null: free, or taken over without it
  int64_t epoch_ = 0;                     // 0: not taken
  int64_t last_synced_us_ = 0;
  absl::Time tried_at_;  // when the lock was last tried
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_SQLITE_OWNERSHIP_H_
