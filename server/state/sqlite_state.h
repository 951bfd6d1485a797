// State versions of a sync into a SQLite destination, in the transaction of its rows (semantics.md
// section 6, protocol A).
#ifndef TIDEMARK_STATE_SQLITE_STATE_H_
#define TIDEMARK_STATE_SQLITE_STATE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/sqlite_connection.h"
#include "state/sqlite_ownership.h"
#include "state/sqlite_version_rows.h"
#include "state/state_commit.h"

namespace tidemark {

// The holder's view of one connection's state. Every call runs inside the caller's transaction.
// Confined to one thread; borrows the connection.
class SqliteState {
 public:
  // `ownership` has the epoch under which everything is written; both are borrowed.
  SqliteState(SqliteConnection& connection, SqliteOwnership& ownership,
              const AcquireRequest& request, std::string engine)
      : connection_(connection),
        ownership_(ownership),
        request_(request),
        engine_(std::move(engine)) {}

  // Loads the entries; the epoch is taken and the stored state has been verified.
  absl::Status Load(int64_t now_us);
  // Steps 3 to 5 of protocol A without COMMIT. Settle() or Forget() must follow.
  absl::StatusOr<CommitResult> Write(const CommitRequest& request, int64_t now_us);
  // The transaction of the last Write is durable.
  void Settle();
  // It is not.
  void Forget() { pending_.clear(); }
  // After a lost connection: whether the group of the last Write is in the file.
  absl::StatusOr<bool> WasCommitted(const CommitRequest& request);

  std::vector<StateEntry> Current() const;
  std::vector<StateEntry> Releasable() const;

 private:
  struct Entry {
    std::string schema;
    std::string table;
    StateVersion head;                // newest version; its body is kept
    std::deque<StateVersion> recent;  // version, parent, kind and created_at_us only, ascending
    KeptHistory kept;
    StateEntry releasable;  // version 0: none
  };

  absl::Status LoadEntry(const StateHead& head, int64_t now_us);
  absl::StatusOr<StateVersion> WriteEntry(const EntryCommit& commit, const CommitRequest& request,
                                          int64_t now_us, Entry* entry);
  absl::Status UpdateReleasable(const std::string& name, int64_t now_us, Entry* entry,
                                bool* changed);
  void Remember(const StateVersion& version, Entry* entry) const;

  SqliteConnection& connection_;
  SqliteOwnership& ownership_;
  const AcquireRequest request_;
  const std::string engine_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, Entry> pending_;  // as they will be once the transaction is durable
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_SQLITE_STATE_H_
