// The real destination with ears: notes commits, and fails where a test wants it to.
#ifndef TIDEMARK_TESTS_PIPELINE_WATCHED_DESTINATION_H_
#define TIDEMARK_TESTS_PIPELINE_WATCHED_DESTINATION_H_

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "destination/destination.h"

namespace tidemark {

// What happens around one sync.
struct Watch {
  std::vector<CommitRequest> commits;  // that succeeded
  uint64_t applied = 0;                // batches
  // Called first; an error is returned instead of doing the thing.
  std::function<absl::Status(const CommitRequest&)> before_commit;
  std::function<absl::Status(const ChangeBatch&)> before_apply;
  std::function<void(ChangeCounts*)> after_apply;  // of the group so far
  std::function<void(const CommitResult&)> after_commit;
  std::function<absl::Status()> before_begin;
  std::function<absl::Status()> before_finish;
};

class WatchedDestination final : public Destination {
 public:
  WatchedDestination(std::unique_ptr<Destination> real, Watch& watch)
      : real_(std::move(real)), watch_(watch) {}
  DestinationLimits limits() const override { return real_->limits(); }
  int max_writers() const override { return real_->max_writers(); }
  absl::StatusOr<Acquired> Acquire(const AcquireRequest& request) override {
    return real_->Acquire(request);
  }
  absl::Status BeginSync(const SyncRecord& record) override { return real_->BeginSync(record); }
  absl::Status FinishSync(const SyncRecord& record) override {
    if (watch_.before_finish) {
      if (absl::Status status = watch_.before_finish(); !status.ok()) return status;
    }
    return real_->FinishSync(record);
  }
  absl::StatusOr<std::unique_ptr<DestinationTransaction>> Begin() override;
  void Release() override { real_->Release(); }

 private:
  class Transaction;
  std::unique_ptr<Destination> real_;
  Watch& watch_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_PIPELINE_WATCHED_DESTINATION_H_
