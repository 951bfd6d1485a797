#include "control/write_turns.h"

#include <stdlib.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/clock.h"

namespace tidemark {
namespace {

class TurnTransaction final : public DestinationTransaction {
 public:
  TurnTransaction(std::unique_ptr<WriteTurns::Turn> turn,
                  std::unique_ptr<DestinationTransaction> inner)
      : turn_(std::move(turn)), inner_(std::move(inner)) {}
  ~TurnTransaction() override { inner_.reset(); }  // rolled back before the turn ends

  absl::StatusOr<TableHandle> EnsureTable(const TargetTable& table,
                                          std::vector<SchemaChange>* changes) override {
    return inner_->EnsureTable(table, changes);
  }
  absl::Status Apply(const ChangeBatch& batch, const ApplyOptions& options, ChangeCounts* counts,
                     std::vector<RefusedRow>* refused) override {
    return inner_->Apply(batch, options, counts, refused);
  }
  absl::Status SetTruncateBefore(TableHandle table,
                                 std::optional<int64_t> truncate_before_us) override {
    return inner_->SetTruncateBefore(table, truncate_before_us);
  }
  absl::StatusOr<uint64_t> DeleteWrittenBefore(TableHandle table, int64_t truncate_before_us,
                                               int64_t synced_us) override {
    return inner_->DeleteWrittenBefore(table, truncate_before_us, synced_us);
  }
  absl::Status WriteDeadLetter(absl::string_view sync_id, const DeadLetter& letter) override {
    return inner_->WriteDeadLetter(sync_id, letter);
  }
  absl::StatusOr<CommitResult> Commit(const CommitRequest& request) override {
    absl::StatusOr<CommitResult> result = inner_->Commit(request);
    turn_ = nullptr;
    return result;
  }
  void Rollback() override {
    inner_->Rollback();
    turn_ = nullptr;
  }

 private:
  std::unique_ptr<WriteTurns::Turn> turn_;
  std::unique_ptr<DestinationTransaction> inner_;
};

class TurnDestination final : public Destination {
 public:
  TurnDestination(std::string path, WriteTurns& turns, Destination& inner)
      : path_(std::move(path)), turns_(turns), inner_(inner) {}

  DestinationLimits limits() const override { return inner_.limits(); }
  int max_writers() const override { return inner_.max_writers(); }
  absl::StatusOr<Acquired> Acquire(const AcquireRequest& request) override {
    who_ = absl::StrCat("connection \"", request.connection, "\"");
    absl::StatusOr<std::unique_ptr<WriteTurns::Turn>> turn = turns_.Take(path_, who_);
    if (!turn.ok()) return turn.status();
    return inner_.Acquire(request);
  }
  absl::Status BeginSync(const SyncRecord& record) override {
    absl::StatusOr<std::unique_ptr<WriteTurns::Turn>> turn = turns_.Take(path_, who_);
    return turn.ok() ? inner_.BeginSync(record) : turn.status();
  }
  absl::Status FinishSync(const SyncRecord& record) override {
    absl::StatusOr<std::unique_ptr<WriteTurns::Turn>> turn = turns_.Take(path_, who_);
    return turn.ok() ? inner_.FinishSync(record) : turn.status();
  }
  absl::StatusOr<std::unique_ptr<DestinationTransaction>> Begin() override {
    absl::StatusOr<std::unique_ptr<WriteTurns::Turn>> turn = turns_.Take(path_, who_);
    if (!turn.ok()) return turn.status();
    absl::StatusOr<std::unique_ptr<DestinationTransaction>> begun = inner_.Begin();
    if (!begun.ok()) return begun;
    return std::make_unique<TurnTransaction>(*std::move(turn), *std::move(begun));
  }
  std::vector<StoredTable> TakeReshaped() override { return inner_.TakeReshaped(); }
  void Release() override { inner_.Release(); }

 private:
  const std::string path_;
  WriteTurns& turns_;
  Destination& inner_;
  std::string who_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<WriteTurns::Turn>> WriteTurns::Take(const std::string& path,
                                                                   absl::string_view who) {
  const absl::Duration until = Clock::Real().Monotonic() + patience_;
  MutexLock lock(mutex_);
  const uint64_t ticket = ++last_ticket_;
  Line& line = lines_[path];  // stays while anybody waits in it
  line.waiting.push_back(ticket);
  while (!line.writer.empty() || line.waiting.front() != ticket) {
    const absl::Duration left = until - Clock::Real().Monotonic();
    if (left <= absl::ZeroDuration()) {
      const std::string writer = line.writer;
      std::erase(line.waiting, ticket);
      changed_.SignalAll();  // whoever is first now
      return absl::UnavailableError(absl::StrCat(path, " has been written by ", writer,
                                                 " for more than ", absl::FormatDuration(patience_),
                                                 "; ", who, " tries again"));
    }
    changed_.WaitFor(mutex_, left);
  }
  line.waiting.pop_front();
  line.writer = std::string(who);
  return std::unique_ptr<Turn>(new Turn(this, path));
}

size_t WriteTurns::waiting(const std::string& path) const {
  MutexLock lock(mutex_);
  const auto line = lines_.find(path);
  return line == lines_.end() ? 0 : line->second.waiting.size();
}

void WriteTurns::End(const std::string& path) {
  MutexLock lock(mutex_);
  const auto line = lines_.find(path);
  if (line->second.waiting.empty()) {
    lines_.erase(line);
    return;
  }
  line->second.writer.clear();
  changed_.SignalAll();
}

std::unique_ptr<Destination> WriteInTurns(const std::string& path, WriteTurns* turns,
                                          Destination* inner) {
  char resolved[PATH_MAX];
  std::string real = realpath(path.c_str(), resolved) != nullptr ? resolved : path;
  return std::make_unique<TurnDestination>(std::move(real), *turns, *inner);
}

}  // namespace tidemark
