#include "cursors/size_ladder.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tidemark::cursors {

std::vector<int64_t> PageSizes(int64_t wanted) {
  std::vector<int64_t> sizes = {std::max<int64_t>(wanted, 1)};
  for (const int64_t step : {1000, 500, 250, 50, 10, 1}) {
    if (step < sizes.front()) sizes.push_back(step);
  }
  return sizes;
}

}  // namespace tidemark::cursors
