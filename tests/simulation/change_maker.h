// A source that changes at random: the tables of the simulations and the next change of one.
#ifndef TIDEMARK_TESTS_SIMULATION_CHANGE_MAKER_H_
#define TIDEMARK_TESTS_SIMULATION_CHANGE_MAKER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/sync.h"
#include "tests/simulation/dice.h"
#include "tests/simulation/reference_model.h"

namespace tidemark {

// The tables by number.
inline constexpr uint32_t kItem = 0;  // id LONG key, n LONG, v undeclared, t STRING; soft deletes
inline constexpr uint32_t kPair = 1;  // a LONG, b STRING keys, n LONG; hard deletes
inline constexpr uint32_t kSeen = 2;  // id LONG key, c LONG cursor, n LONG: the stale guard works
inline constexpr uint32_t kLog = 3;   // line STRING, no key
inline constexpr uint32_t kSimulatedTables = 4;

std::vector<TableSchema> SimulatedTables();
// The rules that give them their deletes.
std::vector<TableRule> SimulatedRules();

// What the source likes to do, in thousandths.
struct ChangeHabits {
  uint64_t truncates = 5;
  uint64_t key_changes = 100;
  uint64_t updates = 250;
  uint64_t deletes = 150;
  uint64_t bad_rows = 0;
  uint64_t texts = 100;  // in the undeclared column, which then widens to STRING
};

// Confined to one thread; borrows dice and model.
class ChangeMaker {
 public:
  ChangeMaker(Dice& dice, ReferenceModel& model, const ChangeHabits& habits)
      : dice_(dice), model_(model), habits_(habits) {}

  // The next change of `table`, on keys base..base+keys-1; already in the model.
  SourceChange Next(uint32_t table, int64_t base, uint64_t keys);
  uint64_t last_stamp() const { return stamp_; }

 private:
  Cell RandomValue();
  Cells RowWith(uint32_t table, int64_t id);
  // A row that is there, or not, among some random keys.
  std::optional<int64_t> Find(uint32_t table, int64_t base, uint64_t keys, bool there);
  Cells KeyOf(uint32_t table, int64_t id);
  SourceChange BadRow(uint32_t table);
  void MakeLine(int64_t base, uint64_t keys, SourceChange* change);
  void MakeKeyed(int64_t base, uint64_t keys, SourceChange* change);

  Dice& dice_;
  ReferenceModel& model_;
  const ChangeHabits habits_;
  uint64_t stamp_ = 0;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_CHANGE_MAKER_H_
