// Chance for simulations: the same seed, the same rolls. Confined to one thread.
#ifndef TIDEMARK_TESTS_SIMULATION_DICE_H_
#define TIDEMARK_TESTS_SIMULATION_DICE_H_

#include <cstdint>
#include <memory>

#include "core/random_bits.h"

namespace tidemark {

class Dice {
 public:
  explicit Dice(uint64_t seed) : bits_(SeededBits(seed)) {}

  uint64_t Roll() { return bits_->Next(); }
  // 0..below-1. REQUIRES: below > 0.
  uint64_t Pick(uint64_t below) { return bits_->Next() % below; }
  int64_t PickInt(uint64_t below) { return static_cast<int64_t>(Pick(below)); }
  // True `weight` times of a thousand.
  bool Chance(uint64_t weight) { return weight > 0 && Pick(1000) < weight; }
  RandomBits& bits() { return *bits_; }

 private:
  std::unique_ptr<RandomBits> bits_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SIMULATION_DICE_H_
