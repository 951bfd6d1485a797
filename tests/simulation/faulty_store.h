// A real state store beside the destination (protocol B), failing as its disk or its server would.
#ifndef TIDEMARK_TESTS_SIMULATION_FAULTY_STORE_H_
#define TIDEMARK_TESTS_SIMULATION_FAULTY_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "state/state_store.h"
#include "tests/pipeline/fake_clock.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/durable_book.h"
#include "tests/simulation/trace.h"

namespace tidemark {

// Weights in thousandths per call, drawn per seed.
struct StoreHabits {
  uint64_t answers_not = 0;  // UNAVAILABLE, nothing done
  uint64_t full = 0;         // RESOURCE_EXHAUSTED, nothing done
  uint64_t answer_lost = 0;  // ABORTED, and it was appended
};

// All borrowed.
struct StoreWorld {
  Dice& dice;
  FakeClock& clock;
  Trace& trace;
  DurableBook& durable;  // of the store
  const StoreHabits& habits;
  const bool& ended;  // the process: nothing works from then on
  uint64_t& faults;
};

class FaultyStore final : public StateStore {
 public:
  FaultyStore(std::unique_ptr<StateStore> real, const StoreWorld& world)
      : real_(std::move(real)), world_(world) {}
  std::string Describe() const override { return real_->Describe(); }
  absl::StatusOr<std::optional<StateHolder>> Holder() override { return real_->Holder(); }
  absl::StatusOr<std::vector<StateHead>> Heads() override {
    absl::Status fault = Fault("heads", world_.habits.answers_not, Unanswered());
    if (!fault.ok()) return fault;
    return real_->Heads();
  }
  absl::Status ReadVersions(const VersionQuery& query,
                            const std::function<absl::Status(StoredVersion&)>& each) override {
    const absl::Status fault = Fault("versions", world_.habits.answers_not, Unanswered());
    return fault.ok() ? real_->ReadVersions(query, each) : fault;
  }
  absl::StatusOr<std::vector<AuditRecord>> Audit(int64_t limit) override {
    return real_->Audit(limit);
  }
  absl::StatusOr<int64_t> Acquire(const OwnershipRequest& request) override {
    absl::Status fault = Fault("acquire", world_.habits.answers_not, Unanswered());
    if (!fault.ok()) return fault;
    return real_->Acquire(request);
  }
  absl::Status Renew() override {
    const absl::Status fault = Fault("renew", world_.habits.answers_not, Unanswered());
    return fault.ok() ? real_->Renew() : fault;
  }
  absl::Status Append(absl::Span<const VersionAppend> appends,
                      absl::Span<const AuditRecord> audit) override;
  void Release() override { real_->Release(); }

 private:
  static absl::Status Unanswered() { return absl::UnavailableError("the store does not answer"); }
  absl::Status Fault(const char* call, uint64_t weight, absl::Status status);

  std::unique_ptr<StateStore> real_;
  const StoreWorld world_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_FAULTY_STORE_H_
