// The rows that stand at a cursor's edge, or in the part behind it that is read again.
#ifndef TIDEMARK_CURSORS_BOUNDARY_ROWS_H_
#define TIDEMARK_CURSORS_BOUNDARY_ROWS_H_

#include <cstddef>
#include <string>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace tidemark::cursors {

// The lower edge of a run is inclusive, so rows of the last run's largest time come again. This
// remembers them by a digest of key and content, so that they are not delivered twice while a
// changed or new row of the same time is. A forgotten row is harmless (it is delivered again), so
// at most kMaxRows are kept, the newest. Thread-compatible.
class BoundaryRows {
 public:
  static constexpr size_t kMaxRows = 2000;

  bool Contains(absl::Time time, absl::string_view digest) const {
    return rows_.contains(std::pair(time, std::string(digest)));
  }
  // A row delivered, or recognised, in this run.
  void Add(absl::Time time, absl::string_view digest);
  // Rows before the edge will not be read again.
  void Forget(absl::Time edge);

  // Times and digests, in their order, so that equal sets make equal states.
  const absl::btree_set<std::pair<absl::Time, std::string>>& rows() const { return rows_; }

 private:
  absl::btree_set<std::pair<absl::Time, std::string>> rows_;
};

}  // namespace tidemark::cursors

#endif  // TIDEMARK_CURSORS_BOUNDARY_ROWS_H_
