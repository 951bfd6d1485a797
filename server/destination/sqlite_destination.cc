#include "destination/sqlite_destination.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <new>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/canary.h"
#include "core/failpoint.h"
#include "destination/reshaped_tables.h"
#include "destination/sqlite_bookkeeping.h"
#include "destination/sqlite_catalog.h"
#include "destination/sqlite_dialect.h"
#include "destination/sqlite_sync_log.h"
#include "destination/sqlite_table_writer.h"
#include "state/sqlite_file.h"
#include "state/sqlite_history.h"
#include "state/sqlite_ownership.h"
#include "state/sqlite_state.h"

namespace tidemark {
namespace {

bool SameColumn(const TargetColumn& a, const TargetColumn& b) {
  return a.name == b.name && a.source_name == b.source_name && a.type == b.type && a.key == b.key &&
         a.sensitive == b.sensitive;
}

bool SameTarget(const TargetTable& a, const TargetTable& b) {
  return a.name == b.name && a.source_name == b.source_name && a.deletes == b.deletes &&
         a.existing == b.existing && a.stale_guard == b.stale_guard &&
         std::equal(a.columns.begin(), a.columns.end(), b.columns.begin(), b.columns.end(),
                    SameColumn);
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenDatabase(const std::string& path) {
  absl::StatusOr<std::unique_ptr<SqliteConnection>> connection = OpenForWriting(path);
  if (!connection.ok()) return connection;
  if (absl::Status s = RegisterFunctions(**connection); !s.ok()) return s;
  return connection;
}

// The state of the table was reset and nothing was read since.
bool BeginsAgain(const std::vector<StateEntry>& states, const std::string& table) {
  const StateEntry* found = nullptr;
  for (const StateEntry& state : states) {
    const std::string name = EntryName(state);
    if (name == table || (name.empty() && found == nullptr)) found = &state;
  }
  return found != nullptr && found->kind == static_cast<uint32_t>(StateKind::kReset) &&
         found->body.empty() && found->cursor.empty();
}

class SqliteDestination final : public Destination {
 public:
  SqliteDestination(const SqliteOptions& options, std::unique_ptr<SqliteConnection> connection)
      : options_(options),
        clock_(options.clock == nullptr ? &Clock::Real() : options.clock),
        connection_(std::move(connection)) {}
  ~SqliteDestination() override { Release(); }

  DestinationLimits limits() const override;
  int max_writers() const override { return 1; }
  absl::StatusOr<Acquired> Acquire(const AcquireRequest& request) override;
  absl::Status BeginSync(const SyncRecord& record) override { return StoreSync(record); }
  absl::Status FinishSync(const SyncRecord& record) override { return StoreSync(record); }
  absl::StatusOr<std::unique_ptr<DestinationTransaction>> Begin() override;
  std::vector<StoredTable> TakeReshaped() override {
    return catalog_ == nullptr ? std::vector<StoredTable>() : reshaped_.Take(*catalog_, owner_);
  }
  void Release() override;

 private:
  friend class SqliteTransaction;

  // A table some EnsureTable named; its index is the TableHandle.
  struct Slot {
    TargetTable target;
    std::unique_ptr<SqliteTableWriter> writer;  // made on demand
    bool valid = false;                         // false: EnsureTable must come first
    bool bulk = true;                           // runs of upserts may be one statement
    bool touched = false;                       // by the open transaction's EnsureTable
  };

  int64_t NowUs() const { return absl::ToUnixMicros(clock_->Now()); }
  absl::Status StoreSync(const SyncRecord& record);
  // Runs `work` in a transaction of its own.
  absl::Status InTransaction(const std::function<absl::Status()>& work);
  absl::StatusOr<Acquired> TakeOver(const AcquireRequest& request);

  absl::StatusOr<TableHandle> EnsureTable(const TargetTable& target,
                                          std::vector<SchemaChange>* changes);
  absl::StatusOr<SqliteTableWriter*> Writer(TableHandle table);
  absl::Status ReloadCatalog();
  absl::StatusOr<int64_t> SchemaVersion();
  void EndTransaction(bool committed);
  absl::Status Rollback();
  absl::StatusOr<CommitResult> Commit(const CommitRequest& request);
  void ReclaimLog();
  absl::StatusOr<CommitResult> SettleUnknown(const CommitRequest& request, CommitResult result,
                                             absl::Status failure);

  const SqliteOptions options_;
  Clock* const clock_;
  std::unique_ptr<SqliteConnection> connection_;
  std::unique_ptr<SqliteOwnership> ownership_;  // null: not acquired
  std::string owner_;                           // the connection's name
  std::unique_ptr<SqliteCatalog> catalog_;
  std::unique_ptr<SqliteState> state_;
  std::deque<Slot> slots_;                                // writers point into them
  std::unordered_map<std::string, TableHandle> handles_;  // by lower-case table name
  int64_t schema_version_ = 0;  // SQLite's schema cookie when the catalog was read
  int64_t sync_start_us_ = 0;
  bool catalog_dirty_ = false;  // the open transaction has changed it
  bool catalog_stale_ = false;  // it must be read again
  ReshapedTables reshaped_;
  bool in_transaction_ = false;
};

class SqliteTransaction final : public DestinationTransaction {
 public:
  explicit SqliteTransaction(SqliteDestination& destination) : destination_(&destination) {}
  ~SqliteTransaction() override { Rollback(); }

  absl::StatusOr<TableHandle> EnsureTable(const TargetTable& table,
                                          std::vector<SchemaChange>* changes) override {
    if (absl::Status s = CheckOpen(); !s.ok()) return s;
    return destination_->EnsureTable(table, changes);
  }
  absl::Status Apply(const ChangeBatch& batch, const ApplyOptions& options, ChangeCounts* counts,
                     std::vector<RefusedRow>* refused) override {
    if (absl::Status s = CheckOpen(); !s.ok()) return s;
    absl::StatusOr<SqliteTableWriter*> writer = destination_->Writer(batch.table);
    if (!writer.ok()) return writer.status();
    absl::Status status = Failpoint("apply.rows");
    if (status.ok()) status = (*writer)->Apply(batch, options, counts, refused);
    if (status.ok()) status = Failpoint("apply.rows_applied");
    disk_full_ = absl::IsResourceExhausted(status);
    return status;
  }
  absl::Status SetTruncateBefore(TableHandle table,
                                 std::optional<int64_t> truncate_before_us) override {
    if (absl::Status s = CheckOpen(); !s.ok()) return s;
    absl::StatusOr<SqliteTableWriter*> writer = destination_->Writer(table);
    if (!writer.ok()) return writer.status();
    destination_->catalog_dirty_ = true;
    if (absl::Status s = Failpoint("apply.truncate"); !s.ok()) return s;
    return destination_->catalog_->SetTruncateBefore((*writer)->target().name, destination_->owner_,
                                                     truncate_before_us);
  }
  absl::StatusOr<uint64_t> DeleteWrittenBefore(TableHandle table, int64_t truncate_before_us,
                                               int64_t synced_us) override {
    if (absl::Status s = CheckOpen(); !s.ok()) return s;
    absl::StatusOr<SqliteTableWriter*> writer = destination_->Writer(table);
    if (!writer.ok()) return writer.status();
    if (absl::Status s = Failpoint("apply.truncate_finish"); !s.ok()) return s;
    return (*writer)->DeleteWrittenBefore(truncate_before_us, synced_us);
  }
  absl::Status WriteDeadLetter(absl::string_view sync_id, const DeadLetter& letter) override {
    if (absl::Status s = CheckOpen(); !s.ok()) return s;
    if (absl::Status s = Failpoint("apply.dead_letter"); !s.ok()) return s;
    return WriteDeadLetterRow(*destination_->connection_, destination_->owner_, sync_id, letter,
                              destination_->NowUs());
  }
  absl::StatusOr<CommitResult> Commit(const CommitRequest& request) override {
    if (absl::Status s = CheckOpen(); !s.ok()) return s;
    return std::exchange(destination_, nullptr)->Commit(request);
  }
  void Rollback() override {
    if (destination_ == nullptr) return;
    SqliteDestination* const destination = std::exchange(destination_, nullptr);
    destination->Rollback().IgnoreError();
    if (disk_full_) destination->ReclaimLog();
  }

 private:
  absl::Status CheckOpen() const {
    if (destination_ == nullptr) return absl::InternalError("the transaction has ended");
    if (!destination_->connection_->autocommit()) return absl::OkStatus();
    return absl::AbortedError("SQLite has rolled the transaction back after an error");
  }

  SqliteDestination* destination_;  // null once ended
  bool disk_full_ = false;
};

DestinationLimits SqliteDestination::limits() const {
  DestinationLimits limits;
  sqlite3* const db = connection_->db();
  limits.max_columns =
      static_cast<uint32_t>(sqlite3_limit(db, SQLITE_LIMIT_COLUMN, -1)) - 2;  // system columns
  limits.max_name_bytes = 255;
  limits.max_value_bytes = static_cast<uint64_t>(sqlite3_limit(db, SQLITE_LIMIT_LENGTH, -1));
  return limits;
}

absl::StatusOr<Acquired> SqliteDestination::Acquire(const AcquireRequest& request) {
  if (ownership_ != nullptr) return absl::InternalError("the destination is already acquired");
  if (absl::Status s = Failpoint("open.lock"); !s.ok()) return s;
  ownership_ = std::make_unique<SqliteOwnership>(options_.path, request.connection, *clock_);
  absl::Status locked = ownership_->Lock(*connection_, {request.holder, request.take_over});
  if (!locked.ok()) {
    Release();
    return locked;
  }
  PassFailpoint("open.locked");
  absl::StatusOr<Acquired> acquired = TakeOver(request);
  if (!acquired.ok()) Release();
  return acquired;
}

absl::StatusOr<Acquired> SqliteDestination::TakeOver(const AcquireRequest& request) {
  if (absl::Status s = EnsureBookkeeping(*connection_); !s.ok()) {
    return ownership_->ExplainBusy(s);
  }
  owner_ = request.connection;
  catalog_ = std::make_unique<SqliteCatalog>(*connection_);
  state_ = std::make_unique<SqliteState>(*connection_, *ownership_, request, options_.engine);
  slots_.clear();
  handles_.clear();
  Acquired acquired;
  const int64_t now_us = NowUs();
  absl::Status status = InTransaction([&]() -> absl::Status {
    if (absl::Status s = EnsureStateTables(*connection_, owner_); !s.ok()) return s;
    if (absl::Status s = Failpoint("open.chain_verify"); !s.ok()) return s;
    if (absl::Status s = VerifyStoredState(*connection_, owner_); !s.ok()) {
      return absl::Status(s.code(),
                          absl::StrCat(options_.path, ": ", s.message(),
                                       "; nothing was changed: restore a backup of the file, or "
                                       "look at what is left with `tidemark state log --db ",
                                       options_.path, "`"));
    }
    if (absl::Status s = ownership_->TakeEpoch(*connection_); !s.ok()) return s;
    if (absl::Status s = Failpoint("open.epoch"); !s.ok()) return s;
    if (absl::Status s = state_->Load(now_us); !s.ok()) return s;
    absl::StatusOr<std::vector<std::string>> closed =
        CloseRunningSyncs(*connection_, owner_, now_us);
    if (!closed.ok()) return closed.status();
    acquired.closed_syncs = *std::move(closed);
    if (absl::Status s = Failpoint("open.dead_syncs_closed"); !s.ok()) return s;
    if (absl::Status s = ReloadCatalog(); !s.ok()) return s;
    return catalog_->ForgetGone(owner_, [states = state_->Current()](const std::string& table) {
      return BeginsAgain(states, table);
    });
  });
  if (!status.ok()) return status;
  PassFailpoint("open.acquired");
  acquired.epoch = ownership_->epoch();
  acquired.states = state_->Current();
  acquired.releasable = state_->Releasable();
  acquired.tables = catalog_->TablesOf(owner_);
  acquired.last_synced_us = ownership_->last_synced_us();
  sync_start_us_ = acquired.last_synced_us;
  return acquired;
}

absl::Status SqliteDestination::InTransaction(const std::function<absl::Status()>& work) {
  if (in_transaction_) return absl::InternalError("a transaction is open");
  absl::Status status = ownership_->ExplainBusy(connection_->Execute("BEGIN IMMEDIATE"));
  if (status.ok()) status = work();
  if (status.ok()) status = connection_->Execute("COMMIT");
  if (!status.ok() && !connection_->autocommit()) connection_->Execute("ROLLBACK").IgnoreError();
  return status;
}

absl::Status SqliteDestination::StoreSync(const SyncRecord& record) {
  if (state_ == nullptr) return absl::InternalError("the destination is not acquired");
  return InTransaction([&]() -> absl::Status {
    if (absl::Status s = ownership_->CheckEpoch(*connection_); !s.ok()) return s;
    return WriteSync(*connection_, record);
  });
}

absl::StatusOr<std::unique_ptr<DestinationTransaction>> SqliteDestination::Begin() {
  if (state_ == nullptr) return absl::InternalError("the destination is not acquired");
  if (in_transaction_) return absl::InternalError("a transaction is open");
  ownership_->RetryLock();
  if (absl::Status s = connection_->Execute("BEGIN IMMEDIATE"); !s.ok()) {
    return ownership_->ExplainBusy(s);
  }
  in_transaction_ = true;
  // The commit checks again; this spares a holder that was fenced the work, and others its lock.
  absl::Status status = ownership_->CheckEpoch(*connection_);
  absl::StatusOr<int64_t> version = 0;
  if (status.ok()) {
    version = SchemaVersion();
    status = version.status();
  }
  if (status.ok()) status = Failpoint("apply.begun");
  if (status.ok() && (catalog_stale_ || *version != schema_version_)) {
    // Somebody else has changed the schema: every statement is made anew.
    for (Slot& slot : slots_) slot.writer = nullptr;
    status = ReloadCatalog();
    for (const Slot& slot : slots_) {
      if (status.ok() && slot.valid) status = reshaped_.Check(*catalog_, slot.target);
    }
  }
  if (!status.ok()) {
    Rollback().IgnoreError();
    return status;
  }
  return std::make_unique<SqliteTransaction>(*this);
}

absl::Status SqliteDestination::ReloadCatalog() {
  if (absl::Status s = catalog_->Load(); !s.ok()) return s;
  absl::StatusOr<int64_t> version = SchemaVersion();
  if (!version.ok()) return version.status();
  schema_version_ = *version;
  catalog_stale_ = false;
  return absl::OkStatus();
}

absl::StatusOr<int64_t> SqliteDestination::SchemaVersion() {
  absl::StatusOr<SqliteStatement*> row = connection_->Query("PRAGMA schema_version");
  if (!row.ok()) return row.status();
  absl::StatusOr<bool> found = connection_->Next(**row);
  if (!found.ok()) return found.status();
  const int64_t version = (*row)->Int(0);
  (*row)->Reset();
  return version;
}

absl::StatusOr<TableHandle> SqliteDestination::EnsureTable(const TargetTable& target,
                                                           std::vector<SchemaChange>* changes) {
  auto [place, fresh] =
      handles_.emplace(absl::AsciiStrToLower(target.name), static_cast<TableHandle>(slots_.size()));
  if (fresh) slots_.emplace_back();
  Slot& slot = slots_[place->second];
  if (slot.valid && SameTarget(slot.target, target)) return place->second;

  // One table that cannot be ensured must not take the transaction with it.
  if (absl::Status s = connection_->Run("SAVEPOINT ensure_table"); !s.ok()) return s;
  catalog_dirty_ = true;
  const size_t told = changes->size();
  absl::StatusOr<bool> shaped = catalog_->Ensure(target, owner_, NowUs(), changes);
  if (!shaped.ok()) {
    if (absl::IsAborted(shaped.status())) reshaped_.Note(target.name);
    changes->resize(told);
    if (!connection_->autocommit()) {
      if (absl::Status s = connection_->Run("ROLLBACK TO ensure_table"); !s.ok()) return s;
      if (absl::Status s = connection_->Run("RELEASE ensure_table"); !s.ok()) return s;
    }
    return shaped.status();
  }
  if (absl::Status s = connection_->Run("RELEASE ensure_table"); !s.ok()) return s;
  slot.target = target;
  slot.writer = nullptr;
  slot.valid = true;
  slot.touched = true;
  return place->second;
}

absl::StatusOr<SqliteTableWriter*> SqliteDestination::Writer(TableHandle table) {
  if (table >= slots_.size() || !slots_[table].valid) {
    return absl::InternalError(absl::StrCat("table handle ", table, " is void"));
  }
  Slot& slot = slots_[table];
  if (slot.writer == nullptr) {
    const SqliteTable* found = catalog_->Find(slot.target.name);
    if (found == nullptr) return absl::InternalError("the table is gone from the catalog");
    absl::StatusOr<bool> plain = catalog_->IsPlain(slot.target.name);
    if (!plain.ok()) return plain.status();
    slot.bulk = slot.bulk && *plain;
    slot.writer = std::make_unique<SqliteTableWriter>(*connection_, slot.target, *found,
                                                      sync_start_us_, &slot.bulk);
  }
  return slot.writer.get();
}

void SqliteDestination::EndTransaction(bool committed) {
  in_transaction_ = false;
  for (Slot& slot : slots_) {
    if (!committed && slot.touched) {
      slot.valid = false;
      slot.writer = nullptr;
    }
    slot.touched = false;
  }
  if (!committed && catalog_dirty_) catalog_stale_ = true;
  catalog_dirty_ = false;
}

absl::Status SqliteDestination::Rollback() {
  absl::Status status;
  PassFailpoint("apply.rollback");
  if (!connection_->autocommit()) status = connection_->Execute("ROLLBACK");
  EndTransaction(false);
  return status;
}

absl::StatusOr<CommitResult> SqliteDestination::Commit(const CommitRequest& request) {
  if (Canary("state_ahead_of_its_rows") && !request.group_id.empty() &&
      request.group_id[0] == '0') {
    connection_->Execute("ROLLBACK; BEGIN IMMEDIATE").IgnoreError();
  }
  absl::StatusOr<CommitResult> result = state_->Write(request, NowUs());
  absl::StatusOr<int64_t> version = schema_version_;
  if (result.ok() && catalog_dirty_) version = SchemaVersion();
  if (!result.ok() || !version.ok()) {
    state_->Forget();
    Rollback().IgnoreError();
    if (absl::IsResourceExhausted(result.status())) ReclaimLog();
    return result.ok() ? version.status() : result.status();
  }
  absl::Status status = Failpoint("apply.before_commit");
  if (status.ok()) status = connection_->Execute("COMMIT");
  if (Canary("believe_a_failed_commit")) status = absl::OkStatus();
  if (status.ok()) status = Failpoint("apply.commit_unknown");
  if (!status.ok()) return SettleUnknown(request, *std::move(result), status);
  PassFailpoint("apply.committed");
  schema_version_ = *version;
  state_->Settle();
  EndTransaction(true);
  return result;
}

// COMMIT reported an error: ask the file what became of it.
absl::StatusOr<CommitResult> SqliteDestination::SettleUnknown(const CommitRequest& request,
                                                              CommitResult result,
                                                              absl::Status failure) {
  PassFailpoint("apply.settle_unknown");
  Rollback().IgnoreError();
  for (Slot& slot : slots_) {
    slot.writer = nullptr;
    slot.valid = false;
  }
  connection_->DropStatements();
  absl::StatusOr<std::unique_ptr<SqliteConnection>> reopened = OpenDatabase(options_.path);
  absl::StatusOr<bool> committed = false;
  if (!reopened.ok()) {
    committed = reopened.status();
  } else {
    connection_->Swap(**reopened);
    reopened->reset();  // closes the old one
    catalog_stale_ = true;
    committed = state_->WasCommitted(request);
  }
  if (committed.ok() && *committed) {
    state_->Settle();
    return result;
  }
  state_->Forget();
  if (absl::IsResourceExhausted(failure)) ReclaimLog();
  if (!committed.ok()) {
    return absl::AbortedError(absl::StrCat("whether the last commit reached ", options_.path,
                                           " is not known, and the file cannot be "
                                           "opened again (",
                                           committed.status().message(),
                                           "); it came after: ", failure.message()));
  }
  if (absl::IsUnavailable(failure) || absl::IsInternal(failure)) {
    return absl::AbortedError(
        absl::StrCat("the commit failed and is not in the file: ", failure.message()));
  }
  return failure;
}

// On a full disk: what is committed moves into the database, and the log gives its space back.
void SqliteDestination::ReclaimLog() {
  sqlite3_wal_checkpoint_v2(connection_->db(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                            nullptr);
}

void SqliteDestination::Release() {
  if (in_transaction_) Rollback().IgnoreError();
  slots_.clear();
  handles_.clear();
  state_ = nullptr;
  catalog_ = nullptr;
  try {
    if (ownership_ != nullptr) ownership_->Release(*connection_);
    ownership_ = nullptr;
  } catch (const std::bad_alloc&) {
    ownership_ = nullptr;  // the lock goes with the object: only the note of it is missing
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Destination>> OpenSqliteDestination(const SqliteOptions& options) {
  if (absl::Status s = Failpoint("open.destination"); !s.ok()) return s;
  absl::StatusOr<std::unique_ptr<SqliteConnection>> connection = OpenDatabase(options.path);
  if (!connection.ok()) return connection.status();
  // Refuses the bookkeeping of a newer engine before anything is done.
  absl::StatusOr<int64_t> version = ReadBookkeepingVersion(**connection);
  if (!version.ok()) return version.status();
  return std::make_unique<SqliteDestination>(options, *std::move(connection));
}

}  // namespace tidemark
