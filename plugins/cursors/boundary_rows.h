// The rows that stand exactly at a cursor's edge.
#ifndef TIDEMARK_CURSORS_BOUNDARY_ROWS_H_
#define TIDEMARK_CURSORS_BOUNDARY_ROWS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark::cursors {

// The lower edge of a run is inclusive, so rows of the last run's largest time come again. This
// remembers them by a digest of key and content, so that they are not delivered twice while a
// changed or new row of the same time is. A missed row is harmless (it is delivered again), so at
// most kMaxRows are kept. Thread-compatible.
class BoundaryRows {
 public:
  static constexpr size_t kMaxRows = 1000;

  BoundaryRows() = default;
  BoundaryRows(absl::Time edge, const std::vector<std::string>& digests)
      : edge_(edge), digests_(digests.begin(), digests.end()) {}

  bool Contains(absl::Time time, absl::string_view digest) const {
    return time == edge_ && digests_.contains(digest);
  }
  // A row delivered (or recognised) in this run. A larger time forgets the rows of smaller ones.
  void Add(absl::Time time, absl::string_view digest);

  absl::Time edge() const { return edge_; }
  // Sorted, so that equal sets make equal states.
  std::vector<std::string> Digests() const;

 private:
  absl::Time edge_ = absl::InfinitePast();
  absl::flat_hash_set<std::string> digests_;
};

}  // namespace tidemark::cursors

#endif  // TIDEMARK_CURSORS_BOUNDARY_ROWS_H_
