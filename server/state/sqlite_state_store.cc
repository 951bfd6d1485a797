#include "state/sqlite_state_store.h"

#include <unistd.h>

#include <functional>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/failpoint.h"
#include "state/append_check.h"
#include "state/sqlite_file.h"
#include "state/sqlite_history.h"
#include "state/sqlite_ownership.h"
#include "state/sqlite_state_tables.h"
#include "state/sqlite_version_rows.h"

namespace tidemark {
namespace {

class SqliteStateStore final : public StateStore {
 public:
  SqliteStateStore(const std::string& path, const std::string& connection,
                   const SqliteStateStoreOptions& options)
      : path_(path),
        owner_(connection),
        options_(options),
        ownership_(path, connection, options.clock == nullptr ? Clock::Real() : *options.clock) {}
  ~SqliteStateStore() override { Release(); }

  std::string Describe() const override { return absl::StrCat("SQLite file ", path_); }
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
  // The file opened as far as needed, with our tables in it. NOT_FOUND: no file, no tables.
  absl::Status OpenToRead();
  absl::Status OpenToWrite();
  absl::Status CheckTables();
  // Runs `work` in a read transaction: every statement of it sees the same state.
  absl::Status InView(const std::function<absl::Status()>& work);
  absl::Status MakeTables();
  absl::Status WriteAll(absl::Span<const VersionAppend> appends,
                        absl::Span<const AuditRecord> audit);
  absl::Status WriteOne(const VersionAppend& append);
  absl::Status SettleUnknown(absl::Span<const VersionAppend> appends, const absl::Status& failure);

  const std::string path_;
  const std::string owner_;  // the connection's name
  const SqliteStateStoreOptions options_;
  std::unique_ptr<SqliteConnection> connection_;  // null: not opened yet
  bool writable_ = false;                         // connection_ may write
  SqliteOwnership ownership_;
  OwnershipRequest request_;
  bool held_ = false;
  std::map<std::string, KeptHistory> kept_;  // by entry, as committed; missing: not counted yet
};

absl::Status SqliteStateStore::OpenToRead() {
  if (connection_ == nullptr) {
    absl::StatusOr<std::unique_ptr<SqliteConnection>> connection = OpenForReading(path_);
    if (!connection.ok()) return connection.status();
    connection_ = *std::move(connection);
    writable_ = false;
  }
  return CheckTables();
}

absl::Status SqliteStateStore::OpenToWrite() {
  if (writable_) return absl::OkStatus();
  if (!options_.create && access(path_.c_str(), F_OK) != 0) {
    return absl::NotFoundError(absl::StrCat(path_, " does not exist"));
  }
  absl::StatusOr<std::unique_ptr<SqliteConnection>> connection = OpenForWriting(path_);
  if (!connection.ok()) return connection.status();
  connection_ = *std::move(connection);
  writable_ = true;
  return absl::OkStatus();
}

absl::Status SqliteStateStore::CheckTables() {
  absl::StatusOr<std::vector<std::string>> missing = MissingStateTables(*connection_);
  if (!missing.ok()) return missing.status();
  if (!missing->empty()) {
    return absl::NotFoundError(
        absl::StrCat(path_, " has no table ", absl::StrJoin(*missing, ", "), " to keep state in"));
  }
  return ReadBookkeepingVersion(*connection_).status();
}

absl::Status SqliteStateStore::InView(const std::function<absl::Status()>& work) {
  if (connection_ != nullptr && !connection_->autocommit()) return work();
  if (absl::Status s = OpenToRead(); !s.ok()) return s;
  if (absl::Status s = connection_->Execute("BEGIN"); !s.ok()) return s;
  absl::Status status = work();
  if (!connection_->autocommit()) connection_->Execute("COMMIT").IgnoreError();
  return status;
}

absl::StatusOr<std::optional<StateHolder>> SqliteStateStore::Holder() {
  absl::StatusOr<std::optional<StateHolder>> holder = std::nullopt;
  absl::Status status = InView([&] {
    holder = ReadHolder(*connection_, owner_);
    return holder.status();
  });
  if (absl::IsNotFound(status)) return std::nullopt;
  if (!status.ok()) return status;
  return holder;
}

absl::StatusOr<std::vector<StateHead>> SqliteStateStore::Heads() {
  absl::StatusOr<std::vector<StateHead>> heads = std::vector<StateHead>();
  absl::Status status = InView([&]() -> absl::Status {
    heads = ReadHeads(*connection_, owner_);
    if (!heads.ok() || !heads->empty()) return heads.status();
    absl::StatusOr<bool> synced = HasSynced(*connection_, owner_, false);
    if (!synced.ok() || !*synced) return synced.status();
    return absl::NotFoundError(absl::StrCat(path_, " has rows of connection \"", owner_,
                                            "\" but no version of its state"));
  });
  if (!status.ok()) return status;
  return heads;
}

absl::Status SqliteStateStore::ReadVersions(
    const VersionQuery& query, const std::function<absl::Status(StoredVersion&)>& each) {
  return InView([&] { return tidemark::ReadVersions(*connection_, owner_, query, each); });
}

absl::StatusOr<std::vector<AuditRecord>> SqliteStateStore::Audit(int64_t limit) {
  std::vector<AuditRecord> records;
  absl::Status status = InView([&]() -> absl::Status {
    absl::StatusOr<SqliteStatement*> rows = connection_->Query(
        "SELECT at, action, entry, holder, detail FROM _tidemark_audit WHERE connection = ? "
        "ORDER BY id DESC LIMIT ?",
        owner_, limit);
    if (!rows.ok()) return rows.status();
    while (true) {
      absl::StatusOr<bool> row = connection_->Next(**rows);
      if (!row.ok()) return row.status();
      if (!*row) return absl::OkStatus();
      AuditRecord& record = records.emplace_back();
      record.at_us = (*rows)->Int(0);
      record.action = (*rows)->String(1);
      record.entry = (*rows)->String(2);
      record.by = (*rows)->String(3);
      record.detail = (*rows)->String(4);
    }
  });
  if (!status.ok()) return status;
  return records;
}

absl::StatusOr<int64_t> SqliteStateStore::Acquire(const OwnershipRequest& request) {
  if (held_) return absl::InternalError(absl::StrCat(path_, " is already acquired"));
  if (options_.read_only) {
    return absl::FailedPreconditionError(absl::StrCat(path_, " was opened for looking only"));
  }
  if (absl::Status s = OpenToWrite(); !s.ok()) return s;
  absl::Status status = ownership_.Lock(*connection_, {request.holder, request.take_over});
  if (!status.ok()) return status;
  request_ = request;
  status = ownership_.ExplainBusy(connection_->Execute("BEGIN IMMEDIATE"));
  if (status.ok()) status = MakeTables();
  if (status.ok()) status = ownership_.TakeEpoch(*connection_);
  if (status.ok()) status = connection_->Execute("COMMIT");
  if (!status.ok()) {
    if (!connection_->autocommit()) connection_->Execute("ROLLBACK").IgnoreError();
    ownership_.Release(*connection_);
    return status;
  }
  held_ = true;
  return ownership_.epoch();
}

absl::Status SqliteStateStore::MakeTables() {
  absl::StatusOr<int64_t> version = ReadBookkeepingVersion(*connection_);
  if (absl::IsFailedPrecondition(version.status())) return version.status();  // a newer engine's
  absl::StatusOr<std::vector<std::string>> missing = MissingStateTables(*connection_);
  if (!missing.ok()) return missing.status();
  if (request_.rebuild) {
    return version.ok() && missing->empty() ? absl::OkStatus() : CreateStateTables(*connection_);
  }
  if (!version.ok()) return version.status();
  if (!missing->empty() && !options_.create) return CheckTables();
  return EnsureStateTables(*connection_, owner_);
}

absl::Status SqliteStateStore::Renew() {
  if (!held_) return absl::FailedPreconditionError(absl::StrCat(path_, " is not acquired"));
  ownership_.RetryLock();
  return ownership_.CheckEpoch(*connection_);
}

absl::Status SqliteStateStore::Append(absl::Span<const VersionAppend> appends,
                                      absl::Span<const AuditRecord> audit) {
  if (!held_) return absl::FailedPreconditionError(absl::StrCat(path_, " is not acquired"));
  if (absl::Status s = CheckAppends(appends, owner_); !s.ok()) return s;
  ownership_.RetryLock();
  absl::Status status = connection_->Execute("BEGIN IMMEDIATE");
  if (!status.ok()) return ownership_.ExplainBusy(status);
  status = WriteAll(appends, audit);
  if (!status.ok()) {
    kept_.clear();
    if (!connection_->autocommit()) connection_->Execute("ROLLBACK").IgnoreError();
    return status;
  }
  status = Failpoint("store.sqlite_commit");
  if (status.ok()) status = connection_->Execute("COMMIT");
  return status.ok() ? status : SettleUnknown(appends, status);
}

absl::Status SqliteStateStore::WriteAll(absl::Span<const VersionAppend> appends,
                                        absl::Span<const AuditRecord> audit) {
  if (absl::Status s = ownership_.CheckEpoch(*connection_); !s.ok()) return s;
  for (const VersionAppend& append : appends) {
    if (absl::Status s = WriteOne(append); !s.ok()) return s;
  }
  for (const AuditRecord& record : audit) {
    if (absl::Status s = WriteAudit(*connection_, owner_, record); !s.ok()) return s;
  }
  for (const VersionAppend& append : appends) {
    const std::string& entry = append.version.entry;
    if (kept_.count(entry) == 0) {
      absl::StatusOr<KeptHistory> kept = ReadKept(*connection_, owner_, entry);
      if (!kept.ok()) return kept.status();
      kept_[entry] = *kept;
    }
    absl::Status status = DropOldest(*connection_, owner_, entry, request_.retention,
                                     request_.horizon, &kept_[entry]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status SqliteStateStore::WriteOne(const VersionAppend& append) {
  if (absl::Status s = SetAside(*connection_, append.version, append.set_aside); !s.ok()) return s;
  absl::Status status = MoveHead(*connection_, append.version,
                                 {.schema = append.schema,
                                  .table = append.table,
                                  .expected_version = append.expected_version,
                                  .expected_chain = append.expected_chain,
                                  .anchor = append.anchor.has_value() ? &*append.anchor : nullptr});
  if (!status.ok()) return status;
  absl::StatusOr<int64_t> grown = InsertVersion(*connection_, append.version);
  if (!grown.ok()) return grown.status();
  const auto kept = kept_.find(append.version.entry);
  if (kept == kept_.end()) return absl::OkStatus();
  if (append.set_aside.empty() && kept->second.versions > 0) {
    ++kept->second.versions;
    kept->second.bytes += *grown;
  } else {
    kept_.erase(kept);  // counted anew
  }
  return absl::OkStatus();
}

// COMMIT reported an error: ask the file what became of it, through a connection of its own.
absl::Status SqliteStateStore::SettleUnknown(absl::Span<const VersionAppend> appends,
                                             const absl::Status& failure) {
  kept_.clear();
  if (!connection_->autocommit()) connection_->Execute("ROLLBACK").IgnoreError();
  connection_->DropStatements();
  absl::StatusOr<std::unique_ptr<SqliteConnection>> reopened = OpenForWriting(path_);
  absl::StatusOr<std::vector<StateHead>> heads = failure;
  if (!reopened.ok()) {
    heads = reopened.status();
  } else {
    connection_->Swap(**reopened);
    reopened->reset();  // closes the old one
    heads = ReadHeads(*connection_, owner_);
  }
  if (!heads.ok()) {
    return absl::AbortedError(absl::StrCat(
        "whether the last versions reached ", path_, " is not known, and it cannot be read again (",
        heads.status().message(), "); it came after: ", failure.message()));
  }
  std::map<std::string, std::string> wanted;  // entry -> chain of the last append
  for (const VersionAppend& append : appends) wanted[append.version.entry] = append.version.chain;
  for (const StateHead& head : *heads) {
    const auto found = wanted.find(head.entry);
    if (found != wanted.end() && found->second == head.chain) return absl::OkStatus();
  }
  return failure;
}

void SqliteStateStore::Release() {
  if (!held_) return;
  held_ = false;
  kept_.clear();
  ownership_.Release(*connection_);
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateStore>> OpenSqliteStateStore(
    const std::string& path, const std::string& connection,
    const SqliteStateStoreOptions& options) {
  return std::make_unique<SqliteStateStore>(path, connection, options);
}

}  // namespace tidemark
