// State versions in a SQLite destination: _tidemark_connections, _tidemark_state and its history
// (semantics.md sections 6 and 7, protocol A).
#ifndef TIDEMARK_STATE_SQLITE_STATE_H_
#define TIDEMARK_STATE_SQLITE_STATE_H_

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/sqlite_connection.h"
#include "state/state_commit.h"

namespace tidemark {

// Reads the versions of one entry, oldest first when `ascending`, at most `limit` (negative: all).
absl::Status ReadHistory(SqliteConnection& connection, const std::string& owner,
                         const std::string& entry, bool bodies, bool ascending, int64_t limit,
                         const std::function<absl::Status(StateVersion&)>& each);

// L0 over every entry of `owner`; DATA_LOSS says what does not fit.
absl::Status VerifyStoredState(SqliteConnection& connection, const std::string& owner);

// The holder's view of one connection's state. Every call runs inside the caller's transaction.
// Confined to one thread; borrows the connection.
class SqliteState {
 public:
  SqliteState(SqliteConnection& connection, const AcquireRequest& request, std::string engine)
      : connection_(connection), request_(request), engine_(std::move(engine)) {}

  // Takes the next epoch and loads the entries; the stored state has been verified.
  absl::Status Acquire(int64_t now_us);
  // FAILED_PRECONDITION (FENCED) when another holder took the connection.
  absl::Status CheckFence();
  // Steps 3 to 5 of protocol A without COMMIT. Settle() or Forget() must follow.
  absl::StatusOr<CommitResult> Write(const CommitRequest& request, int64_t now_us);
  // The transaction of the last Write is durable.
  void Settle();
  // It is not.
  void Forget() { pending_.clear(); }
  // After a lost connection: whether the group of the last Write is in the file.
  absl::StatusOr<bool> WasCommitted(const CommitRequest& request);

  int64_t epoch() const { return epoch_; }
  int64_t last_synced_us() const { return last_synced_us_; }
  std::vector<StateEntry> Current() const;
  std::vector<StateEntry> Releasable() const;

 private:
  struct Entry {
    std::string schema;
    std::string table;
    StateVersion head;                // newest version; its body is kept
    std::deque<StateVersion> recent;  // version and created_at_us only, ascending
    int64_t oldest = 1;               // first version that history still holds
    int64_t history_bytes = 0;        // of the stored bodies
    StateEntry releasable;            // version 0: none
  };

  absl::Status LoadEntry(const std::string& name, const std::string& schema,
                         const std::string& table, int64_t now_us);
  absl::StatusOr<StateVersion> WriteEntry(const EntryCommit& commit, const CommitRequest& request,
                                          int64_t now_us, Entry* entry);
  absl::Status InsertVersion(const StateVersion& version, Entry* entry);
  absl::Status MoveHead(const EntryCommit& commit, const StateVersion& version, Entry* entry);
  absl::Status Retain(const std::string& name, Entry* entry);
  absl::Status UpdateReleasable(const std::string& name, int64_t now_us, Entry* entry,
                                bool* changed);

  SqliteConnection& connection_;
  const AcquireRequest request_;
  const std::string engine_;
  int64_t epoch_ = 0;
  int64_t last_synced_us_ = 0;
  std::map<std::string, Entry> entries_;
  std::map<std::string, Entry> pending_;  // as they will be once the transaction is durable
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_SQLITE_STATE_H_
