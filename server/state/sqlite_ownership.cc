#include "state/sqlite_ownership.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/canary.h"
#include "core/status_context.h"
#include "core/time_text.h"
#include "state/sqlite_file.h"

namespace tidemark {
namespace {

constexpr absl::Duration kLockRetryEvery = absl::Seconds(1);
// A holder that is stopped keeps the write lock: do not wait for it longer than this at the end.
constexpr int kReleaseTimeoutMs = 200;

std::string Since(int64_t time_us) { return FormatReportTime(time_us); }

}  // namespace

absl::StatusOr<std::optional<StateHolder>> ReadHolder(SqliteConnection& connection,
                                                      const std::string& owner) {
  absl::StatusOr<SqliteStatement*> row = connection.Query(
      "SELECT epoch, holder, boot_id, pid, pid_start, acquired_at, expires_at "
      "FROM _tidemark_connections WHERE connection = ?",
      owner);
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection.Next(**row);
  if (!found.ok()) return found.status();
  if (!*found) return std::nullopt;
  StateHolder holder;
  holder.epoch = (*row)->Int(0);
  holder.holder = (*row)->String(1);
  holder.boot_id = (*row)->String(2);
  holder.pid = (*row)->Int(3);
  holder.pid_start = (*row)->Int(4);
  holder.acquired_at_us = (*row)->Int(5);
  holder.expires_at_us = (*row)->IsNull(6) ? kNoTime : (*row)->Int(6);
  (*row)->Reset();
  holder.held =
      holder.expires_at_us == kNoTime && IsAlive({holder.boot_id, holder.pid, holder.pid_start});
  return holder;
}

absl::Status WriteAudit(SqliteConnection& connection, const std::string& owner,
                        const AuditRecord& record) {
  return connection.Run(
      "INSERT INTO _tidemark_audit(connection, at, action, entry, holder, detail) "
      "VALUES(?, ?, ?, ?, ?, ?)",
      owner, record.at_us, record.action, record.entry, record.by, record.detail);
}

absl::Status SqliteOwnership::Lock(SqliteConnection& connection, const Claim& claim) {
  claim_ = claim;
  epoch_ = 0;
  absl::StatusOr<std::unique_ptr<ConnectionLock>> lock = ConnectionLock::Acquire(path_, owner_);
  tried_at_ = clock_.Now();
  if (lock.ok()) {
    lock_ = *std::move(lock);
    return absl::OkStatus();
  }
  if (!absl::IsAlreadyExists(lock.status())) return lock.status();
  if (claim.take_over) return CheckWriter();
  const absl::StatusOr<std::optional<StateHolder>> holder = ReadHolder(connection, owner_);
  return HeldBy(holder.ok() ? *holder : std::nullopt);
}

absl::Status SqliteOwnership::CheckWritable(const Claim& claim) {
  claim_ = claim;
  if (access(path_.c_str(), F_OK) != 0) return absl::OkStatus();
  if (absl::Status s = CheckWriter(); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<SqliteConnection>> connection = OpenForWriting(path_);
  absl::Status status = connection.status();
  if (status.ok()) status = (*connection)->Execute("BEGIN IMMEDIATE");
  if (status.ok()) return (*connection)->Execute("ROLLBACK");
  // What else is wrong with the file is said by those who open it to work with it.
  return absl::IsUnavailable(status) ? ExplainBusy(std::move(status)) : absl::OkStatus();
}

// To wait for a writer that is stopped would be in vain.
absl::Status SqliteOwnership::CheckWriter() const {
  const std::optional<int64_t> writer = SqliteWriter(path_);
  if (!writer.has_value() || !IsStopped(*writer)) return absl::OkStatus();
  return ExplainBusy(absl::UnavailableError("stopped"));
}

absl::Status SqliteOwnership::HeldBy(const std::optional<StateHolder>& holder) const {
  const std::string who = holder.has_value()
                              ? absl::StrCat(holder->holder, " (pid ", holder->pid, ") since ",
                                             Since(holder->acquired_at_us))
                              : "another process";
  return AsHeldElsewhere(absl::FailedPreconditionError(absl::StrCat(
      "connection \"", owner_, "\" into ", path_, " is being worked on by ", who,
      "; wait for its end or stop it, or take the connection over (`tidemark run --take-over`)")));
}

absl::Status SqliteOwnership::TakeEpoch(SqliteConnection& connection) {
  absl::StatusOr<std::optional<StateHolder>> before = ReadHolder(connection, owner_);
  if (!before.ok()) return before.status();
  // With the lock in hand, a row of this very process is of an owner that has ended here.
  const bool alive =
      before->has_value() && (*before)->held &&
      (lock_ == nullptr || !IsCurrent({(*before)->boot_id, (*before)->pid, (*before)->pid_start}));
  if (alive && !claim_.take_over) return HeldBy(*before);
  const int64_t now_us = absl::ToUnixMicros(clock_.Now());
  const HolderIdentity self = CurrentProcess();
  // Where the row was lost, no epoch of the history may come again.
  absl::Status status = connection.Run(
      "INSERT INTO _tidemark_connections(connection, epoch, holder, boot_id, pid, pid_start, "
      "acquired_at, expires_at, last_synced) VALUES(?1, 1 + coalesce((SELECT max(epoch) FROM "
      "_tidemark_state_history WHERE connection = ?1), 0), ?2, ?3, ?4, ?5, ?6, NULL, 0) "
      "ON CONFLICT(connection) DO UPDATE SET epoch = epoch + 1, holder = excluded.holder, "
      "boot_id = excluded.boot_id, pid = excluded.pid, pid_start = excluded.pid_start, "
      "acquired_at = excluded.acquired_at, expires_at = NULL",
      owner_, claim_.holder, self.boot_id, self.pid, self.start, now_us);
  if (!status.ok()) return status;
  absl::StatusOr<SqliteStatement*> row = connection.Query(
      "SELECT epoch, last_synced FROM _tidemark_connections WHERE connection = ?", owner_);
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection.Next(**row);
  if (!found.ok()) return found.status();
  epoch_ = (*row)->Int(0);
  last_synced_us_ = (*row)->Int(1);
  (*row)->Reset();
  if (!claim_.take_over || (!alive && lock_ != nullptr)) return absl::OkStatus();
  AuditRecord record;
  record.at_us = now_us;
  record.action = "take-over";
  record.by = claim_.holder;
  record.detail =
      absl::StrCat("taken from ", before->has_value() ? (*before)->holder : "an unknown holder",
                   " (pid ", before->has_value() ? (*before)->pid : 0, ", epoch ",
                   before->has_value() ? (*before)->epoch : 0,
                   "), which was still there; the epoch is now ", epoch_);
  return WriteAudit(connection, owner_, record);
}

absl::Status SqliteOwnership::CheckEpoch(SqliteConnection& connection) const {
  absl::StatusOr<SqliteStatement*> row = connection.Query(
      "SELECT epoch, holder, acquired_at FROM _tidemark_connections WHERE connection = ?", owner_);
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection.Next(**row);
  if (!found.ok()) return found.status();
  const int64_t epoch = *found ? (*row)->Int(0) : 0;
  if ((epoch == epoch_ && epoch != 0) || Canary("skip_the_fence_check")) {
    (*row)->Reset();
    return absl::OkStatus();
  }
  const std::string holder = *found ? (*row)->String(1) : "nobody";
  const int64_t since = *found ? (*row)->Int(2) : 0;
  (*row)->Reset();
  return absl::FailedPreconditionError(absl::StrCat(
      "FENCED: connection \"", owner_, "\" was taken over by ", holder, " at ", Since(since),
      " (epoch ", epoch, ", ours is ", epoch_, "); nothing was written here"));
}

void SqliteOwnership::RetryLock() {
  if (lock_ != nullptr || epoch_ == 0) return;
  const absl::Time now = clock_.Now();
  if (now >= tried_at_ && now - tried_at_ < kLockRetryEvery) return;
  tried_at_ = now;
  absl::StatusOr<std::unique_ptr<ConnectionLock>> lock = ConnectionLock::Acquire(path_, owner_);
  if (lock.ok()) lock_ = *std::move(lock);
}

absl::Status SqliteOwnership::ExplainBusy(absl::Status status) const {
  if (!absl::IsUnavailable(status)) return status;
  const std::optional<int64_t> writer = SqliteWriter(path_);
  if (!writer.has_value()) return status;
  const bool stopped = IsStopped(*writer);
  std::string text = absl::StrCat(path_, " is locked by the process with pid ", *writer,
                                  stopped ? ", which is stopped inside a transaction" : "",
                                  "; nothing was changed in it: ");
  if (!claim_.take_over) {
    absl::StrAppend(&text,
                    stopped ? "let it go on (kill -CONT " : "wait for its end or end it (kill ",
                    *writer, ") and run again");
    return absl::UnavailableError(text);
  }
  absl::StrAppend(&text,
                  "SQLite allows no other writer before it goes on or ends; end it (kill -9 ",
                  *writer, ") and run again");
  return absl::FailedPreconditionError(text);
}

void SqliteOwnership::Release(SqliteConnection& connection) {
  if (epoch_ != 0 && connection.autocommit()) {
    // A server that lives on does not hold the connection any more. Where this fails, the process
    // is about to end, and that says the same.
    sqlite3_busy_timeout(connection.db(), kReleaseTimeoutMs);
    const HolderIdentity self = CurrentProcess();
    connection
        .Run(
            "UPDATE _tidemark_connections SET expires_at = ? WHERE connection = ? AND epoch = ? "
            "AND pid = ? AND pid_start = ?",
            absl::ToUnixMicros(clock_.Now()), owner_, epoch_, self.pid, self.start)
        .IgnoreError();
    sqlite3_busy_timeout(connection.db(), kSqliteBusyTimeoutMs);
  }
  epoch_ = 0;
  lock_ = nullptr;
}

}  // namespace tidemark
