#include "cursors/boundary_rows.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark::cursors {

void BoundaryRows::Add(absl::Time time, absl::string_view digest) {
  if (time < edge_) return;
  if (time > edge_) {
    edge_ = time;
    digests_.clear();
  }
  if (digests_.size() < kMaxRows) digests_.insert(std::string(digest));
}

std::vector<std::string> BoundaryRows::Digests() const {
  std::vector<std::string> sorted(digests_.begin(), digests_.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace tidemark::cursors
