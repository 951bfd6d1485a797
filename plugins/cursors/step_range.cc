#include "cursors/step_range.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>

namespace tidemark::cursors {

StepRange::StepRange(const Options& options, std::optional<int64_t> cursor)
    : options_(options), cursor_(cursor), first_(options.start) {
  if (!cursor) return;
  exhausted_ = *cursor == std::numeric_limits<int64_t>::max();
  if (!exhausted_) first_ = std::max(options.start, *cursor + 1);
}

bool StepRange::done() const {
  return exhausted_ || first_ > Limit() ||
         (!options_.limit && empty_ >= std::max<int64_t>(options_.empty_to_stop, 1));
}

int64_t StepRange::last() const {
  const int64_t width = std::max<int64_t>(options_.width, 1);
  return Limit() - first_ < width - 1 ? Limit() : first_ + width - 1;
}

void StepRange::Advance(std::optional<int64_t> largest) {
  if (largest) cursor_ = std::max(cursor_.value_or(*largest), *largest);
  empty_ = largest ? 0 : empty_ + 1;
  exhausted_ = last() == Limit();
  if (!exhausted_) first_ = last() + 1;
}

}  // namespace tidemark::cursors
