#include "control/letter_source.h"

#include <optional>
#include <utility>

namespace tidemark {
namespace {

class LetterSource final : public ChangeSource {
 public:
  explicit LetterSource(LetterBox* box) : box_(*box) {}

  absl::StatusOr<ConnectorDescription> Describe() override {
    ConnectorDescription description = box_.description;
    // Each letter stands for itself, whatever transaction of the source it came from.
    description.capabilities &= ~uint64_t{kSourceTransactions};
    return description;
  }
  absl::Status Check() override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<TableSchema>> Schema() override { return box_.tables; }
  absl::Status ValidateState(absl::Span<const StateEntry>) override { return absl::OkStatus(); }

  absl::Status Start(const UpdateStart& start) override {
    states_ = start.states;
    next_ = 0;
    sent_.assign(box_.tables.size(), 0);
    box_.current = nullptr;
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<SourceEvent>> Next(absl::Time) override {
    if (next_ < box_.letters.size()) {
      const Letter& letter = box_.letters[next_++];
      absl::StatusOr<ChangeBatch> batch = ChangeToBatch(letter.change, box_.tables[letter.table]);
      if (!batch.ok()) return batch.status();
      batch->table = letter.table;
      ++sent_[letter.table];
      box_.current = &letter;
      return SourceEvent(*std::move(batch));
    }
    box_.current = nullptr;
    if (!states_.empty()) {
      Checkpoint checkpoint;
      checkpoint.id = 1;
      checkpoint.states = std::exchange(states_, {});
      return SourceEvent(std::move(checkpoint));
    }
    Finished finished;
    for (uint32_t table = 0; table < sent_.size(); ++table) {
      finished.sent.push_back({table, sent_[table]});
    }
    return SourceEvent(std::move(finished));
  }

  void Acknowledge(const Acknowledgement&) override {}
  absl::Status Close() override { return absl::OkStatus(); }
  void Cancel() override {}

 private:
  LetterBox& box_;
  std::vector<StateEntry> states_;
  std::vector<uint64_t> sent_;
  size_t next_ = 0;
};

class LetterTransaction final : public DestinationTransaction {
 public:
  LetterTransaction(LetterBox& box, std::unique_ptr<DestinationTransaction> inner)
      : box_(box), inner_(std::move(inner)) {}

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
    if (box_.current == nullptr) return inner_->WriteDeadLetter(sync_id, letter);
    const StoredDeadLetter& stored = box_.current->stored;
    DeadLetter again = stored.letter;  // its identity
    again.reason = letter.reason;
    failed_.insert(stored.id);
    return inner_->WriteDeadLetter(sync_id, again);
  }
  absl::StatusOr<CommitResult> Commit(const CommitRequest& request) override {
    absl::StatusOr<CommitResult> result = inner_->Commit(request);
    if (result.ok()) box_.failed.insert(failed_.begin(), failed_.end());
    return result;
  }
  void Rollback() override { inner_->Rollback(); }

 private:
  LetterBox& box_;
  const std::unique_ptr<DestinationTransaction> inner_;
  std::set<int64_t> failed_;
};

class LetterDestination final : public Destination {
 public:
  LetterDestination(LetterBox& box, Destination& inner) : box_(box), inner_(inner) {}

  DestinationLimits limits() const override { return inner_.limits(); }
  int max_writers() const override { return inner_.max_writers(); }
  absl::StatusOr<Acquired> Acquire(const AcquireRequest& request) override {
    return inner_.Acquire(request);
  }
  absl::Status BeginSync(const SyncRecord& record) override { return inner_.BeginSync(record); }
  absl::Status FinishSync(const SyncRecord& record) override { return inner_.FinishSync(record); }
  absl::StatusOr<std::unique_ptr<DestinationTransaction>> Begin() override {
    absl::StatusOr<std::unique_ptr<DestinationTransaction>> begun = inner_.Begin();
    if (!begun.ok()) return begun;
    return std::make_unique<LetterTransaction>(box_, *std::move(begun));
  }
  std::vector<StoredTable> TakeReshaped() override { return inner_.TakeReshaped(); }
  void Release() override { inner_.Release(); }

 private:
  LetterBox& box_;
  Destination& inner_;
};

}  // namespace

std::unique_ptr<ChangeSource> OpenLetterSource(LetterBox* box) {
  return std::make_unique<LetterSource>(box);
}

std::unique_ptr<Destination> KeepLetters(LetterBox* box, Destination* inner) {
  return std::make_unique<LetterDestination>(*box, *inner);
}

}  // namespace tidemark
