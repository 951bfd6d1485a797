// Notices that a read goes in circles.
#ifndef TIDEMARK_REST_CYCLE_DETECTOR_H_
#define TIDEMARK_REST_CYCLE_DETECTOR_H_

#include <cstddef>
#include <cstdint>

namespace tidemark::rest {

// Finds cycles of any length in a sequence with two numbers of memory (R. P. Brent, "An improved
// Monte Carlo factorization algorithm", 1980, section 3). Thread-compatible.
class CycleDetector {
 public:
  // Whether the sequence has been here before; true at the latest after two rounds of a cycle.
  bool Repeats(size_t element) {
    const bool repeats = steps_ > 0 && element == saved_;
    if (steps_ == power_ || steps_ == 0) {  // Move the saved element on, each time twice as far.
      saved_ = element;
      power_ = steps_ == 0 ? 1 : 2 * power_;
      steps_ = 0;
    }
    ++steps_;
    return repeats;
  }

 private:
  size_t saved_ = 0;
  uint64_t steps_ = 0;
  uint64_t power_ = 1;
};

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_CYCLE_DETECTOR_H_
