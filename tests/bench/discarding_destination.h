// A destination that keeps nothing: what remains of a sync is reading, checking and counting.
#ifndef TIDEMARK_TESTS_BENCH_DISCARDING_DESTINATION_H_
#define TIDEMARK_TESTS_BENCH_DISCARDING_DESTINATION_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "destination/destination.h"

namespace tidemark {

// Confined to one thread.
class DiscardingDestination final : public Destination {
 public:
  uint64_t rows() const { return rows_; }  // applied so far

  DestinationLimits limits() const override;
  int max_writers() const override { return 1; }
  absl::StatusOr<Acquired> Acquire(const AcquireRequest& request) override;
  absl::Status BeginSync(const SyncRecord&) override { return absl::OkStatus(); }
  absl::Status FinishSync(const SyncRecord&) override { return absl::OkStatus(); }
  absl::StatusOr<std::unique_ptr<DestinationTransaction>> Begin() override;
  void Release() override {}

 private:
  class Transaction;

  uint64_t rows_ = 0;
  TableHandle tables_ = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_BENCH_DISCARDING_DESTINATION_H_
