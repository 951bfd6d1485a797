#include "tests/simulation/faulty_destination.h"

#include "absl/strings/str_cat.h"

namespace tidemark {

absl::Status FaultyDestination::Alive() const {
  return notes_.ended ? absl::UnavailableError("the process has ended") : absl::OkStatus();
}

void FaultyDestination::EndProcess() {
  world_.trace.Add("the process ends");
  notes_.ended = true;
  ++notes_.faults;
  world_.interrupt.Request();
  world_.interrupt.Request();
}

absl::Status FaultyDestination::Fault(absl::string_view call, uint64_t weight,
                                      absl::Status status) {
  if (absl::Status alive = Alive(); !alive.ok()) return alive;
  if (world_.dice.Chance(world_.habits.process_ends)) {
    EndProcess();
    return Alive();
  }
  if (!world_.dice.Chance(weight)) return absl::OkStatus();
  world_.trace.Add(absl::StrCat(call, " fails: ", status.message()));
  ++notes_.faults;
  return status;
}

absl::StatusOr<Acquired> FaultyDestination::Acquire(const AcquireRequest& request) {
  absl::Status fault =
      Fault("acquire", world_.habits.acquire, absl::UnavailableError("the file is locked"));
  if (!fault.ok()) return fault;
  auto acquired = real_->Acquire(request);
  world_.trace.Add(absl::StrCat("acquired: ", acquired.ok() ? acquired->epoch : 0));
  return acquired;
}

absl::Status FaultyDestination::BeginSync(const SyncRecord& record) {
  const absl::Status fault =
      Fault("begin sync", world_.habits.acquire, absl::UnavailableError("the file is locked"));
  return fault.ok() ? real_->BeginSync(record) : fault;
}

absl::Status FaultyDestination::FinishSync(const SyncRecord& record) {
  const absl::Status fault =
      Fault("finish sync", world_.habits.report, absl::UnavailableError("the file is locked"));
  world_.trace.Add(absl::StrCat("finish sync: ", record.status));
  return fault.ok() ? real_->FinishSync(record) : fault;
}

class FaultyDestination::Transaction final : public DestinationTransaction {
 public:
  Transaction(std::unique_ptr<DestinationTransaction> real, FaultyDestination& owner)
      : real_(std::move(real)), owner_(owner) {}

  absl::StatusOr<TableHandle> EnsureTable(const TargetTable& table,
                                          std::vector<SchemaChange>* changes) override {
    absl::Status fault = owner_.Fault("ensure", habits().ensure, Unavailable());
    if (!fault.ok()) return fault;
    return real_->EnsureTable(table, changes);
  }
  absl::Status Apply(const ChangeBatch& batch, const ApplyOptions& options, ChangeCounts* counts,
                     std::vector<RefusedRow>* refused) override {
    absl::Status fault = owner_.Fault("apply", habits().apply, Unavailable());
    if (fault.ok()) fault = owner_.Fault("apply", habits().full, Full());
    return fault.ok() ? real_->Apply(batch, options, counts, refused) : fault;
  }
  absl::Status SetTruncateBefore(TableHandle table, std::optional<int64_t> before_us) override {
    const absl::Status fault = owner_.Fault("note truncate", habits().apply, Unavailable());
    return fault.ok() ? real_->SetTruncateBefore(table, before_us) : fault;
  }
  absl::StatusOr<uint64_t> DeleteWrittenBefore(TableHandle table, int64_t before_us,
                                               int64_t synced_us) override {
    absl::Status fault = owner_.Fault("end truncate", habits().apply, Unavailable());
    if (!fault.ok()) return fault;
    return real_->DeleteWrittenBefore(table, before_us, synced_us);
  }
  absl::Status WriteDeadLetter(absl::string_view sync_id, const DeadLetter& letter) override {
    const absl::Status fault = owner_.Fault("dead letter", habits().apply, Unavailable());
    return fault.ok() ? real_->WriteDeadLetter(sync_id, letter) : fault;
  }
  absl::StatusOr<CommitResult> Commit(const CommitRequest& request) override;
  void Rollback() override { real_->Rollback(); }

 private:
  static absl::Status Unavailable() { return absl::UnavailableError("I/O error on the file"); }
  static absl::Status Full() { return absl::ResourceExhaustedError("the disk is full"); }
  const DestinationHabits& habits() const { return owner_.world_.habits; }
  void NoteCommit(const CommitRequest& request);

  std::unique_ptr<DestinationTransaction> real_;
  FaultyDestination& owner_;
};

void FaultyDestination::Transaction::NoteCommit(const CommitRequest& request) {
  std::string line = "commit:";
  DestinationNotes& notes = owner_.notes_;
  for (const EntryCommit& commit : request.entries) {
    absl::StrAppend(&line, " ", commit.entry, " v", commit.expected_version + 1, " ",
                    commit.state.has_value() ? commit.state->body : "-", " of ",
                    commit.counts.Sum());
    notes.committed += commit.counts.Sum();
  }
  absl::StrAppend(&line, " synced ", request.last_synced_us, " group ", request.group_id);
  owner_.world_.trace.Add(line);
  owner_.world_.durable.Add(request, absl::ToUnixMicros(owner_.world_.clock.Now()));
  if (notes.fenced) notes.violations.push_back("a fenced worker committed");
}

absl::StatusOr<CommitResult> FaultyDestination::Transaction::Commit(const CommitRequest& request) {
  absl::Status fault = owner_.Fault("commit", habits().commit_aborts,
                                    absl::AbortedError("the commit is not in the file"));
  if (fault.ok()) fault = owner_.Fault("commit", habits().commit_locked, Unavailable());
  if (fault.ok()) fault = owner_.Fault("commit", habits().full, Full());
  if (!fault.ok()) {
    real_->Rollback();
    return fault;
  }
  auto result = real_->Commit(request);
  if (!result.ok()) {
    owner_.world_.trace.Add(absl::StrCat("commit: ", result.status().ToString()));
    return result;
  }
  NoteCommit(request);
  Dice& dice = owner_.world_.dice;
  if (dice.Chance(habits().ends_behind)) {
    owner_.EndProcess();
    return owner_.Alive();
  }
  if (!dice.Chance(habits().commit_lost)) return result;
  owner_.world_.trace.Add("... and nobody hears of it");
  ++owner_.notes_.faults;
  owner_.notes_.lost_answer = true;
  return absl::AbortedError("whether the commit reached the file is not known");
}

absl::StatusOr<std::unique_ptr<DestinationTransaction>> FaultyDestination::Begin() {
  absl::Status fault =
      Fault("begin", world_.habits.begin, absl::UnavailableError("the file is locked"));
  if (!fault.ok()) return fault;
  if (world_.dice.Chance(world_.habits.fenced)) {
    world_.trace.Add("another worker takes over");
    ++notes_.faults;
    notes_.fenced = true;
    world_.warehouse.Execute(
        absl::StrCat("UPDATE _tidemark_connections SET epoch = epoch + 1, holder = 'another' "
                     "WHERE connection = '",
                     world_.connection, "'"));
  }
  auto real = real_->Begin();
  if (!real.ok()) {
    world_.trace.Add(absl::StrCat("begin: ", real.status().ToString()));
    return real.status();
  }
  return std::unique_ptr<DestinationTransaction>(
      std::make_unique<Transaction>(*std::move(real), *this));
}

}  // namespace tidemark
