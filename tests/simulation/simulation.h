// The real pipeline into the real destination, in one thread with simulated time, source and
// faults, all of them drawn from one seed: some syncs in which anything may fail, then syncs in
// which nothing does, until the destination is what the source is. Invariants are checked after
// every sync.
#ifndef TIDEMARK_TESTS_SIMULATION_SIMULATION_H_
#define TIDEMARK_TESTS_SIMULATION_SIMULATION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/sync.h"
#include "tests/simulation/faulty_destination.h"
#include "tests/simulation/faulty_store.h"
#include "tests/simulation/simulated_source.h"

namespace tidemark {

// What one seed came to.
struct SimulationResult {
  Difference difference;                // over all checks
  std::vector<std::string> violations;  // of the invariants, each with its number
  uint64_t faults = 0;                  // that really happened
  uint64_t commits = 0;
  uint64_t trace_hash = 0;
  uint64_t trace_lines = 0;

  bool ok() const { return difference.sum() == 0 && violations.empty(); }
  std::string text() const;
};

// Confined to one thread.
class Simulation {
 public:
  explicit Simulation(uint64_t seed);
  SimulationResult Run();

 private:
  struct Habits {
    ChangeHabits changes;
    SourceHabits source;
    DestinationHabits destination;
    StoreHabits store;
    uint64_t store_kind = 0;  // 0, 1: none beside the destination; 2: SQLite file; 3: plain files
    uint64_t interrupt = 0;   // per sync
    uint64_t full = 0;        // per sync: ignores the stored state
    uint64_t step_back = 0;   // per sync: the wall clock goes back
  };

  static Habits Draw(Dice& dice);
  void Heal();  // nothing fails from now on
  void DrawOptions();
  void RunOne();
  SyncOutcome RunPipeline(DestinationNotes& notes);
  absl::StatusOr<std::unique_ptr<StateStore>> OpenStore();
  std::unique_ptr<StateStore> OpenAuthority();
  bool has_store() const { return habits_.store_kind >= 2; }
  void CheckOutcome(const SyncOutcome& outcome, const DestinationNotes& notes);
  void CheckStored(bool exactly);
  void CheckHistory();
  void CheckStore();  // after a sync in which nothing failed
  void Violated(std::string text);

  Dice dice_;
  Habits habits_;
  FakeClock clock_;
  Trace trace_;
  Warehouse warehouse_;
  DurableBook durable_;
  DurableBook stored_;  // of the store beside it
  SourceDatabase database_;
  SyncOptions options_;
  SimulationResult result_;
  bool caught_up_ = false;  // the last sync ended with everything there
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_SIMULATION_H_
