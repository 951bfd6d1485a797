#include "pipeline/commit_group.h"

#include <algorithm>

namespace tidemark {

void CommitGroup::AddChanges(uint64_t rows, uint64_t bytes, absl::Duration now) {
  if (!open_) opened_ = now;
  open_ = true;
  at_checkpoint_ = false;
  rows_ += rows;
  bytes_ += bytes;
}

void CommitGroup::AddCheckpoint(absl::Duration now, bool consistent) {
  if (!open_) opened_ = now;
  open_ = has_checkpoint_ = true;
  at_checkpoint_ = consistent;
}

void CommitGroup::Clear() {
  open_ = at_checkpoint_ = has_checkpoint_ = flush_ = false;
  rows_ = bytes_ = 0;
}

bool CommitGroup::Due(absl::Duration now) const {
  return at_checkpoint_ && (flush_ || rows_ >= limits_.rows || bytes_ >= limits_.bytes ||
                            now - opened_ >= limits_.age);
}

absl::Duration CommitGroup::Patience(absl::Duration now) const {
  if (!open_) return absl::InfiniteDuration();
  const absl::Duration limit =
      at_checkpoint_ ? std::min(limits_.age, limits_.max_open) : limits_.max_open;
  return std::max(absl::ZeroDuration(), limit - (now - opened_));
}

}  // namespace tidemark
