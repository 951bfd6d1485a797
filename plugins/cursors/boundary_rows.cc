#include "cursors/boundary_rows.h"

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark::cursors {

void BoundaryRows::Add(absl::Time time, absl::string_view digest) {
  rows_.insert(std::pair(time, std::string(digest)));
  if (rows_.size() > kMaxRows) rows_.erase(rows_.begin());
}

void BoundaryRows::Forget(absl::Time edge) {
  rows_.erase(rows_.begin(), rows_.lower_bound(std::pair(edge, std::string())));
}

}  // namespace tidemark::cursors
