#include "tests/pipeline/watched_destination.h"

namespace tidemark {

class WatchedDestination::Transaction final : public DestinationTransaction {
 public:
  Transaction(std::unique_ptr<DestinationTransaction> real, Watch& watch)
      : real_(std::move(real)), watch_(watch) {}
  absl::StatusOr<TableHandle> EnsureTable(const TargetTable& table,
                                          std::vector<SchemaChange>* changes) override {
    return real_->EnsureTable(table, changes);
  }
  absl::Status Apply(const ChangeBatch& batch, const ApplyOptions& options, ChangeCounts* counts,
                     std::vector<RefusedRow>* refused) override {
    ++watch_.applied;
    if (watch_.before_apply) {
      if (absl::Status status = watch_.before_apply(batch); !status.ok()) return status;
    }
    absl::Status applied = real_->Apply(batch, options, counts, refused);
    if (watch_.after_apply) watch_.after_apply(counts);
    return applied;
  }
  absl::Status SetTruncateBefore(TableHandle table, std::optional<int64_t> before_us) override {
    return real_->SetTruncateBefore(table, before_us);
  }
  absl::StatusOr<uint64_t> DeleteWrittenBefore(TableHandle table, int64_t before_us,
                                               int64_t synced_us) override {
    return real_->DeleteWrittenBefore(table, before_us, synced_us);
  }
  absl::Status WriteDeadLetter(absl::string_view sync_id, const DeadLetter& letter) override {
    return real_->WriteDeadLetter(sync_id, letter);
  }
  absl::StatusOr<CommitResult> Commit(const CommitRequest& request) override {
    if (watch_.before_commit) {
      if (absl::Status status = watch_.before_commit(request); !status.ok()) {
        real_->Rollback();
        return status;
      }
    }
    auto result = real_->Commit(request);
    if (result.ok()) {
      watch_.commits.push_back(request);
      if (watch_.after_commit) watch_.after_commit(*result);
    }
    return result;
  }
  void Rollback() override { real_->Rollback(); }

 private:
  std::unique_ptr<DestinationTransaction> real_;
  Watch& watch_;
};

absl::StatusOr<std::unique_ptr<DestinationTransaction>> WatchedDestination::Begin() {
  if (watch_.before_begin) {
    if (absl::Status status = watch_.before_begin(); !status.ok()) return status;
  }
  auto real = real_->Begin();
  if (!real.ok()) return real.status();
  return std::unique_ptr<DestinationTransaction>(
      std::make_unique<Transaction>(*std::move(real), watch_));
}

}  // namespace tidemark
