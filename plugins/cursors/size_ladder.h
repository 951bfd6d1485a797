// How much is asked for at once, by how well it goes.
#ifndef TIDEMARK_CURSORS_SIZE_LADDER_H_
#define TIDEMARK_CURSORS_SIZE_LADDER_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tidemark::cursors {

// Steps from the wanted size down to the smallest one that makes sense: a request that a source
// cannot answer is made again with the next smaller size, and after some answers the next larger
// one is tried. Thread-compatible.
template <typename Size>
class SizeLadder {
 public:
  static constexpr int kAnswersToGrow = 5;

  // `steps`: at least one, largest first.
  explicit SizeLadder(std::vector<Size> steps) : steps_(std::move(steps)) {}

  const Size& size() const { return steps_[at_]; }
  bool smallest() const { return at_ + 1 == steps_.size(); }
  bool largest() const { return at_ == 0; }

  // The next smaller size; false if there is none.
  bool Shrink() {
    answers_ = 0;
    if (smallest()) return false;
    ++at_;
    return true;
  }
  // The source answered a request of this size.
  void Answered() {
    if (largest() || ++answers_ < kAnswersToGrow) return;
    answers_ = 0;
    --at_;
  }
  // Back to a larger size without waiting for answers, or on to a smaller one: the step at or
  // below which `fits` holds. The smallest step always fits.
  template <typename Fits>
  void Settle(const Fits& fits) {
    while (!smallest() && !fits(size())) ++at_;
  }

 private:
  std::vector<Size> steps_;
  size_t at_ = 0;
  int answers_ = 0;
};

// wanted, then those of 1000, 500, 250, 50, 10 and 1 that are smaller.
std::vector<int64_t> PageSizes(int64_t wanted);

}  // namespace tidemark::cursors

#endif  // TIDEMARK_CURSORS_SIZE_LADDER_H_
