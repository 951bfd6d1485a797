#include "state/postgres_state_store.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/canary.h"
#include "state/append_check.h"
#include "state/lease_holder.h"
#include "state/postgres_session.h"
#include "state/postgres_state_tables.h"
#include "state/postgres_versions.h"

namespace tidemark {
namespace {

constexpr char kNow[] = "(extract(epoch from clock_timestamp()) * 1000000)::bigint";

class PostgresStateStore final : public StateStore {
 public:
  PostgresStateStore(std::unique_ptr<PostgresSession> session, std::string connection,
                     const PostgresStateStoreOptions& options)
      : session_(std::move(session)),
        connection_(std::move(connection)),
        options_(options),
        schema_(QuoteSchema(options.schema)),
        versions_(*session_, schema_, connection_) {}
  ~PostgresStateStore() override { Release(); }

  std::string Describe() const override { return session_->Describe(); }
  absl::StatusOr<std::optional<StateHolder>> Holder() override;
  absl::StatusOr<std::vector<StateHead>> Heads() override;
  absl::Status ReadVersions(const VersionQuery& query,
                            const std::function<absl::Status(StoredVersion&)>& each) override;
  absl::StatusOr<std::vector<AuditRecord>> Audit(int64_t limit) override;
  absl::StatusOr<int64_t> Acquire(const OwnershipRequest& request) override;
  absl::Status Renew() override;
  absl::Status Append(absl::Span<const VersionAppend> appends,
                      absl::Span<const AuditRecord> audit) override;
  void Release() override;

 private:
  std::string Sql(absl::string_view text) const {
    return absl::StrReplaceAll(text, {{"$S", schema_}, {"$NOW", kNow}});
  }
  // Connects where needed and checks the tables' format; does nothing else.
  absl::Status Ready();
  // Runs `work` in a transaction that commits durably and cannot hang for ever. On an error it is
  // rolled back; the session may be lost then.
  absl::Status InTransaction(const std::function<absl::Status()>& work);
  absl::StatusOr<std::optional<StateHolder>> ReadHolder(absl::string_view lock);
  absl::Status CheckDurability();
  absl::Status TakeLease(const OwnershipRequest& request);
  absl::Status CheckFence(absl::string_view lock);
  absl::Status ExtendLease();
  absl::Status Write(absl::Span<const VersionAppend> appends, absl::Span<const AuditRecord> audit);
  absl::Status WriteAudit(const AuditRecord& record);

  const std::unique_ptr<PostgresSession> session_;
  const std::string connection_;
  const PostgresStateStoreOptions options_;
  const std::string schema_;  // quoted
  PostgresVersions versions_;
  int64_t epoch_ = 0;  // 0: not the holder
};

absl::Status PostgresStateStore::Ready() {
  if (!session_->lost()) return absl::OkStatus();
  if (absl::Status s = session_->Connect(); !s.ok()) return s;
  return CheckPostgresTables(*session_, options_.schema);
}

absl::Status PostgresStateStore::InTransaction(const std::function<absl::Status()>& work) {
  const int64_t lease_ms = std::max<int64_t>(1000, options_.lease / absl::Milliseconds(1));
  // Local settings: a pooler between us and the server may hand each transaction another session.
  absl::Status status = session_->Execute(absl::StrCat(
      "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = '10s'; "
      "SET LOCAL statement_timeout = '60s'; SET LOCAL idle_in_transaction_session_timeout = ",
      lease_ms,
      "; SELECT set_config('synchronous_commit', 'on', true) "
      "WHERE current_setting('synchronous_commit') = 'off'"));
  if (status.ok()) status = work();
  if (status.ok()) return session_->Execute("COMMIT");
  if (!session_->lost()) session_->Execute("ROLLBACK").IgnoreError();
  return status;
}

absl::StatusOr<std::optional<StateHolder>> PostgresStateStore::ReadHolder(absl::string_view lock) {
  absl::StatusOr<PostgresRows> rows = session_->Run(
      absl::StrCat(Sql("SELECT epoch, holder, boot_id, pid, pid_start, acquired_at, expires_at, "
                       "expires_at > $NOW FROM $S._tidemark_connections WHERE connection = $1 "),
                   lock),
      PostgresParameters().Text(connection_));
  if (!rows.ok()) return rows.status();
  if (rows->count() == 0) return std::optional<StateHolder>();
  StateHolder holder;
  holder.epoch = rows->Int(0, 0);
  holder.holder = rows->String(0, 1);
  holder.boot_id = rows->String(0, 2);
  holder.pid = rows->Int(0, 3);
  holder.pid_start = rows->Int(0, 4);
  holder.acquired_at_us = rows->Int(0, 5);
  holder.expires_at_us = rows->IsNull(0, 6) ? kNoTime : rows->Int(0, 6);
  holder.held = rows->Int(0, 7) != 0 && !HolderIsGone(holder);
  return std::optional<StateHolder>(std::move(holder));
}

absl::StatusOr<std::optional<StateHolder>> PostgresStateStore::Holder() {
  absl::Status ready = Ready();
  if (absl::IsNotFound(ready)) return std::optional<StateHolder>();
  if (!ready.ok()) return ready;
  return ReadHolder("");
}

absl::StatusOr<std::vector<StateHead>> PostgresStateStore::Heads() {
  if (absl::Status s = Ready(); !s.ok()) return s;
  return versions_.Heads();
}

absl::Status PostgresStateStore::ReadVersions(
    const VersionQuery& query, const std::function<absl::Status(StoredVersion&)>& each) {
  if (absl::Status s = Ready(); !s.ok()) return s;
  return versions_.Read(query, each);
}

absl::StatusOr<std::vector<AuditRecord>> PostgresStateStore::Audit(int64_t limit) {
  if (absl::Status s = Ready(); !s.ok()) return s;
  PostgresParameters parameters;
  parameters.Text(connection_);
  if (limit < 0) parameters.NullInt();
  if (limit >= 0) parameters.Int(limit);
  absl::StatusOr<PostgresRows> rows =
      session_->Run(Sql("SELECT at, action, entry, holder, detail FROM $S._tidemark_audit "
                        "WHERE connection = $1 ORDER BY id DESC LIMIT $2"),
                    parameters);
  if (!rows.ok()) return rows.status();
  std::vector<AuditRecord> records;
  records.reserve(static_cast<size_t>(rows->count()));
  for (int i = 0; i < rows->count(); ++i) {
    records.push_back({rows->Int(i, 0), rows->String(i, 1), rows->String(i, 2), rows->String(i, 3),
                       rows->String(i, 4)});
  }
  return records;
}

absl::Status PostgresStateStore::CheckDurability() {
  if (options_.accept_weak_durability) return absl::OkStatus();
  absl::StatusOr<PostgresRows> rows = session_->Run("SELECT current_setting('fsync')");
  if (!rows.ok()) return rows.status();
  if (rows->Bytes(0, 0) != "off") return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      Describe(),
      " runs with fsync = off: it may lose an acknowledged version. Switch fsync on, or set "
      "state.storage.accept_weak_durability: true"));
}

absl::StatusOr<int64_t> PostgresStateStore::Acquire(const OwnershipRequest& request) {
  epoch_ = 0;
  if (absl::Status s = session_->Connect(); !s.ok()) return s;
  if (absl::Status s = CheckDurability(); !s.ok()) return s;
  versions_.Forget();
  versions_.Keep(request.retention, request.horizon);
  // Committed by itself: a refused lease leaves the tables, and no lock on the catalog is held
  // while waiting for somebody's lease row.
  absl::Status status =
      InTransaction([this] { return EnsurePostgresTables(*session_, options_.schema); });
  if (status.ok()) status = InTransaction([this, &request] { return TakeLease(request); });
  if (!status.ok()) {
    epoch_ = 0;
    return status;
  }
  return epoch_;
}

absl::Status PostgresStateStore::TakeLease(const OwnershipRequest& request) {
  absl::StatusOr<PostgresRows> made = session_->Run(
      Sql("INSERT INTO $S._tidemark_connections VALUES($1, 0, '', '', 0, 0, 0, NULL, 0) "
          "ON CONFLICT DO NOTHING"),
      PostgresParameters().Text(connection_));
  if (!made.ok()) return made.status();
  // Waits for a transaction of the holder: it commits before we take over, or not at all.
  absl::StatusOr<std::optional<StateHolder>> before = ReadHolder("FOR UPDATE");
  if (!before.ok()) return before.status();
  if (!before->has_value()) return absl::InternalError("the lease row cannot be seen");
  if ((*before)->held && !request.take_over) {
    return HeldByAnother(connection_, Describe(), **before);
  }
  const HolderIdentity self = LeaseIdentity();
  absl::StatusOr<PostgresRows> taken = session_->Run(
      Sql("UPDATE $S._tidemark_connections SET epoch = epoch + 1, holder = $2, boot_id = $3, "
          "pid = $4, pid_start = $5, acquired_at = $NOW, expires_at = $NOW + $6 "
          "WHERE connection = $1 RETURNING epoch, acquired_at"),
      PostgresParameters()
          .Text(connection_)
          .Text(request.holder)
          .Text(self.boot_id)
          .Int(self.pid)
          .Int(self.start)
          .Int(options_.lease / absl::Microseconds(1)));
  if (!taken.ok()) return taken.status();
  epoch_ = taken->Int(0, 0);
  if (!(*before)->held) return absl::OkStatus();
  AuditRecord record;
  record.at_us = taken->Int(0, 1);
  record.action = "take-over";
  record.by = request.holder;
  record.detail = absl::StrCat("taken over from ", (*before)->holder, " (pid ", (*before)->pid,
                               ", epoch ", (*before)->epoch, ") as epoch ", epoch_, ".");
  return WriteAudit(record);
}

absl::Status PostgresStateStore::CheckFence(absl::string_view lock) {
  if (epoch_ == 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("connection \"", connection_, "\" in ", Describe(), " is not held"));
  }
  absl::StatusOr<std::optional<StateHolder>> holder = ReadHolder(lock);
  if (!holder.ok()) return holder.status();
  const StateHolder now = holder->value_or(StateHolder());
  if (now.epoch == epoch_) return absl::OkStatus();
  return FencedBy(connection_, Describe(), now, epoch_);
}

absl::Status PostgresStateStore::ExtendLease() {
  return session_
      ->Run(Sql("UPDATE $S._tidemark_connections SET expires_at = $NOW + $3 WHERE connection = $1 "
                "AND epoch = $2"),
            PostgresParameters()
                .Text(connection_)
                .Int(epoch_)
                .Int(options_.lease / absl::Microseconds(1)))
      .status();
}

absl::Status PostgresStateStore::Renew() {
  if (absl::Status s = Ready(); !s.ok()) return s;
  return InTransaction([this] {
    if (absl::Status s = CheckFence("FOR NO KEY UPDATE"); !s.ok()) return s;
    return ExtendLease();
  });
}

absl::Status PostgresStateStore::Append(absl::Span<const VersionAppend> appends,
                                        absl::Span<const AuditRecord> audit) {
  if (absl::Status s = CheckAppends(appends, connection_); !s.ok()) return s;
  if (absl::Status s = Ready(); !s.ok()) return s;
  absl::Status status = InTransaction([&] { return Write(appends, audit); });
  if (status.ok()) return status;
  versions_.Forget();
  if (!session_->lost()) return status;
  if (Canary("assume_a_lost_commit_happened")) return absl::OkStatus();
  // The outcome is not known. The same once more: whatever the lost session still does comes before
  // or after it, and of two equal appends one finds the other's head.
  absl::Status again = Ready();
  if (again.ok()) again = InTransaction([&] { return Write(appends, audit); });
  if (absl::IsDataLoss(again) && !appends.empty()) {
    absl::StatusOr<bool> there = versions_.Holds(appends[0].version);
    if (there.ok() && *there) return absl::OkStatus();
    if (!there.ok()) again = there.status();  // whose version the head is, is not known either
  }
  if (again.ok()) return again;
  versions_.Forget();
  if (absl::IsFailedPrecondition(again) || absl::IsDataLoss(again)) return again;
  return absl::AbortedError(absl::StrCat("whether the last version reached ", Describe(),
                                         " is not known: ", again.message(),
                                         "; it came after: ", status.message()));
}

absl::Status PostgresStateStore::Write(absl::Span<const VersionAppend> appends,
                                       absl::Span<const AuditRecord> audit) {
  // FOR SHARE: a takeover's FOR UPDATE waits for this transaction (FOR KEY SHARE would not hold it
  // up), and two of our own sessions cannot block each other.
  if (absl::Status s = CheckFence("FOR SHARE"); !s.ok()) return s;
  for (const VersionAppend& append : appends) {
    if (absl::Status s = versions_.Append(append); !s.ok()) return s;
  }
  for (const AuditRecord& record : audit) {
    if (absl::Status s = WriteAudit(record); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status PostgresStateStore::WriteAudit(const AuditRecord& record) {
  return session_
      ->Run(Sql("INSERT INTO $S._tidemark_audit(connection, at, action, entry, holder, detail) "
                "VALUES($1, $2, $3, $4, $5, $6)"),
            PostgresParameters()
                .Text(connection_)
                .Int(record.at_us)
                .Text(record.action)
                .Text(record.entry)
                .Text(record.by)
                .Text(record.detail))
      .status();
}

void PostgresStateStore::Release() {
  if (epoch_ == 0) return;
  const int64_t epoch = std::exchange(epoch_, 0);
  if (session_->lost()) return;  // the lease ends by itself, or when this process is gone
  session_
      ->Run(Sql("UPDATE $S._tidemark_connections SET expires_at = $NOW WHERE connection = $1 AND "
                "epoch = $2"),
            PostgresParameters().Text(connection_).Int(epoch))
      .IgnoreError();
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateStore>> OpenPostgresStateStore(
    const std::string& connection_string, const std::string& connection,
    const PostgresStateStoreOptions& options) {
  absl::StatusOr<std::unique_ptr<PostgresSession>> session =
      PostgresSession::Create(connection_string);
  if (!session.ok()) return session.status();
  return std::make_unique<PostgresStateStore>(*std::move(session), connection, options);
}

}  // namespace tidemark
