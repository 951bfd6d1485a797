// The database that a simulated source reads: its log, what was ever sent of it, and what it was
// allowed to forget. Outlives every process of the simulation.
#ifndef TIDEMARK_TESTS_SIMULATION_SOURCE_DATABASE_H_
#define TIDEMARK_TESTS_SIMULATION_SOURCE_DATABASE_H_

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/change_maker.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/reference_model.h"

namespace tidemark {

// How a source behaves; weights in thousandths per event, drawn per seed.
struct SourceHabits {
  bool table_states = false;    // an entry per table, else one for the connection
  bool table_by_table = false;  // with table_states: one after the other
  bool transactions = false;    // kSourceTransactions
  bool counts = true;           // says how many rows it sent
  bool stamps = false;          // the rows carry their place in the log
  bool last_checkpoint = true;  // behind the last change
  uint64_t batch_rows = 8;
  uint64_t checkpoint = 100;
  uint64_t small_wait = 20;
  uint64_t long_wait = 0;  // longer than a transaction may stay open
  uint64_t jump = 0;       // of the clock, up to a week
  uint64_t flush = 0;
  uint64_t talk = 10;       // logs, warnings, progress
  uint64_t reread = 0;      // goes back in its log
  uint64_t snapshot = 0;    // rows read beside the log
  uint64_t grow = 0;        // the log grows meanwhile
  uint64_t own_letter = 0;  // a dead letter of the source's own
  // Faults, which end when the simulation wants the rest to heal.
  uint64_t transient = 0;    // ends with a transient error
  uint64_t asked_wait = 0;   // ... and a time to wait
  uint64_t crash = 0;        // its process dies
  uint64_t stall = 0;        // the stall timeout passes
  uint64_t broken = 0;       // malformed messages
  uint64_t no_start = 0;     // fails before the first event
  uint64_t bad_end = 0;      // everything durable, then it does not end in order
  uint64_t table_fails = 0;  // with table_states: one table ends with an error
};

// Confined to one thread.
class SourceDatabase {
 public:
  SourceDatabase(Dice& dice, const ChangeHabits& habits)
      : model_(SimulatedTables()), maker_(dice, model_, habits), dice_(dice) {}

  void Grow(uint64_t changes);
  ReferenceModel& model() { return model_; }
  uint64_t head() const { return maker_.last_stamp(); }

  // A source starts from `position`: false when it was told to forget what comes behind it.
  bool Reaches(const std::string& entry, uint64_t position) const;
  // It may forget everything up to `position` (Invariant I2).
  void Forget(const std::string& entry, uint64_t position);
  bool forgot() const { return !forgotten_.empty(); }

  // The highest stamp that was ever sent, or whose value was, by table.
  std::vector<uint64_t> sent = std::vector<uint64_t>(kSimulatedTables, 0);
  // A piece of a table's log that was sent again and is not known to be durable again: a source
  // that went back begins behind `from` until its state has passed `to`.
  struct Unsettled {
    uint64_t from = std::numeric_limits<uint64_t>::max();  // none
    uint64_t to = 0;
  };
  std::vector<Unsettled> unsettled = std::vector<Unsettled>(kSimulatedTables);
  // Tables that were read from their beginning and whose state is not known to be durable since: a
  // source begins that again, as its log holds changes that what it sent has behind it.
  std::set<uint32_t> loading;
  uint64_t full_loads = 0;
  uint64_t own_letters = 0;
  uint64_t faults = 0;                  // of the source, that really happened
  std::vector<std::string> violations;  // of what the engine promises to a source

 private:
  ReferenceModel model_;
  ChangeMaker maker_;
  Dice& dice_;
  std::map<std::string, uint64_t> forgotten_;  // by entry
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_SOURCE_DATABASE_H_
