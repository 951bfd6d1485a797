// Syncs of a simulated source that does not fail, for suites that make something else fail.
#ifndef TIDEMARK_TESTS_SIMULATION_STEADY_SYNC_H_
#define TIDEMARK_TESTS_SIMULATION_STEADY_SYNC_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "pipeline/sync.h"
#include "tests/simulation/faulty_destination.h"
#include "tests/simulation/simulated_source.h"

namespace tidemark {

// A source whose log follows from the seed alone, whatever is read of it.
class SteadySource {
 public:
  explicit SteadySource(uint64_t seed);
  void Grow(uint64_t changes) { database_.Grow(changes); }
  SourceDatabase& database() { return database_; }
  ReferenceModel& model() { return database_.model(); }

 private:
  Dice dice_;
  SourceDatabase database_;
};

// Runs the pipeline from the source into the warehouse. Confined to one thread; borrows both.
class SteadySync {
 public:
  SteadySync(uint64_t seed, SteadySource& source, Warehouse& warehouse);

  // One sync. A destination that does not open is an outcome too.
  SyncOutcome Run();
  // The same into a destination that is open already.
  SyncOutcome Run(std::unique_ptr<Destination> opened);

  // Called with the position that has become durable, at each acknowledgement.
  std::function<void(uint64_t)> on_acknowledged;
  // Called right before and behind the pipeline, which nothing of the tests comes between.
  std::function<void()> before_run;
  std::function<void()> after_run;
  OuterStore* outer = nullptr;  // borrowed; a store beside the destination
  uint64_t acknowledged() const { return acknowledged_; }
  DurableBook& durable() { return durable_; }
  FakeClock& clock() { return clock_; }
  SyncOptions& options() { return options_; }
  const std::string& connection() const { return options_.connection; }

  // What the warehouse holds against the source as of `stamp`, exactly.
  Difference Compare(uint64_t stamp);

 private:
  Dice dice_;
  SteadySource& source_;
  Warehouse& warehouse_;
  FakeClock clock_;
  Trace trace_;
  DurableBook durable_;
  SourceHabits habits_;
  SyncOptions options_;
  uint64_t acknowledged_ = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_STEADY_SYNC_H_
