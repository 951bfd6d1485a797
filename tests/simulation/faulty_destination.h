// The real destination, failing as a disk, another worker or the end of the process would make it.
#ifndef TIDEMARK_TESTS_SIMULATION_FAULTY_DESTINATION_H_
#define TIDEMARK_TESTS_SIMULATION_FAULTY_DESTINATION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "destination/destination.h"
#include "pipeline/sync.h"
#include "tests/pipeline/fake_clock.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/durable_book.h"
#include "tests/simulation/trace.h"
#include "tests/simulation/warehouse.h"

namespace tidemark {

// Weights in thousandths per call, drawn per seed.
struct DestinationHabits {
  uint64_t acquire = 0;        // UNAVAILABLE before it is tried
  uint64_t begin = 0;          // UNAVAILABLE
  uint64_t ensure = 0;         // UNAVAILABLE
  uint64_t apply = 0;          // UNAVAILABLE
  uint64_t full = 0;           // RESOURCE_EXHAUSTED, applying or committing
  uint64_t commit_aborts = 0;  // ABORTED, not committed
  uint64_t commit_lost = 0;    // committed, and the answer is ABORTED: its outcome is unknown
  uint64_t commit_locked = 0;  // UNAVAILABLE, not committed
  uint64_t process_ends = 0;   // at any call: nothing works from then on
  uint64_t ends_behind = 0;    // behind a commit, before anybody hears of it
  uint64_t fenced = 0;         // another worker takes the connection over
  uint64_t report = 0;         // the report cannot be stored
};

// What happened in one sync.
struct DestinationNotes {
  bool ended = false;        // the process ended: its outcome means nothing
  bool fenced = false;       // from then on nothing may be committed
  bool lost_answer = false;  // a commit that happened was said not to have
  uint64_t committed = 0;    // changes in commits that happened
  uint64_t faults = 0;       // that really happened
  std::vector<std::string> violations;
};

// All borrowed.
struct DestinationWorld {
  Dice& dice;
  FakeClock& clock;
  Trace& trace;
  Warehouse& warehouse;
  DurableBook& durable;
  Interrupt& interrupt;
  const std::string& connection;
  const DestinationHabits& habits;
};

class FaultyDestination final : public Destination {
 public:
  FaultyDestination(std::unique_ptr<Destination> real, const DestinationWorld& world,
                    DestinationNotes& notes)
      : real_(std::move(real)), world_(world), notes_(notes) {}
  DestinationLimits limits() const override { return real_->limits(); }
  int max_writers() const override { return real_->max_writers(); }
  absl::StatusOr<Acquired> Acquire(const AcquireRequest& request) override;
  absl::Status BeginSync(const SyncRecord& record) override;
  absl::Status FinishSync(const SyncRecord& record) override;
  absl::StatusOr<std::unique_ptr<DestinationTransaction>> Begin() override;
  void Release() override { real_->Release(); }

 private:
  class Transaction;

  // OK, or the fault of weight `weight` with this status; and the end of the process.
  absl::Status Fault(absl::string_view call, uint64_t weight, absl::Status status);
  absl::Status Alive() const;
  void EndProcess();

  std::unique_ptr<Destination> real_;
  const DestinationWorld world_;
  DestinationNotes& notes_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_FAULTY_DESTINATION_H_
