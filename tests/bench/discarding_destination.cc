#include "tests/bench/discarding_destination.h"

#include <limits>

namespace tidemark {

class DiscardingDestination::Transaction final : public DestinationTransaction {
 public:
  explicit Transaction(DiscardingDestination& destination) : destination_(destination) {}

  absl::StatusOr<TableHandle> EnsureTable(const TargetTable&, std::vector<SchemaChange>*) override {
    return destination_.tables_++;
  }
  absl::Status Apply(const ChangeBatch& batch, const ApplyOptions&, ChangeCounts* counts,
                     std::vector<RefusedRow>*) override {
    destination_.rows_ += batch.row_count;
    counts->inserted += batch.row_count;
    return absl::OkStatus();
  }
  absl::Status SetTruncateBefore(TableHandle, std::optional<int64_t>) override {
    return absl::OkStatus();
  }
  absl::StatusOr<uint64_t> DeleteWrittenBefore(TableHandle, int64_t, int64_t) override { return 0; }
  absl::Status WriteDeadLetter(absl::string_view, const DeadLetter&) override {
    return absl::InternalError("the benchmark's rows are all good");
  }
  absl::StatusOr<CommitResult> Commit(const CommitRequest& request) override {
    CommitResult result;
    for (const EntryCommit& entry : request.entries) {
      StateVersion version;
      version.entry = entry.entry;
      version.version = entry.expected_version + 1;
      version.parent = entry.expected_version;
      result.versions.push_back(version);
    }
    return result;
  }
  void Rollback() override {}

 private:
  DiscardingDestination& destination_;
};

DestinationLimits DiscardingDestination::limits() const {
  return {.max_columns = 2000, .max_name_bytes = 255, .max_value_bytes = 1'000'000'000};
}

absl::StatusOr<Acquired> DiscardingDestination::Acquire(const AcquireRequest&) {
  Acquired acquired;
  acquired.epoch = 1;
  return acquired;
}

absl::StatusOr<std::unique_ptr<DestinationTransaction>> DiscardingDestination::Begin() {
  return std::make_unique<Transaction>(*this);
}

}  // namespace tidemark
