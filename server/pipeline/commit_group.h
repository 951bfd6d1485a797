// When the open changes of a sync commit (semantics.md section 6, "Commit groups"). Decides only;
// the attempt acts. Times are of Clock::Monotonic(). Thread-compatible.
#ifndef TIDEMARK_PIPELINE_COMMIT_GROUP_H_
#define TIDEMARK_PIPELINE_COMMIT_GROUP_H_

#include <cstdint>

#include "absl/time/time.h"
#include "pipeline/sync.h"

namespace tidemark {

class CommitGroup {
 public:
  explicit CommitGroup(const GroupLimits& limits) : limits_(limits) {}

  // Changes were applied; the first ones open the group.
  void AddChanges(uint64_t rows, uint64_t bytes, absl::Duration now);
  // A checkpoint came. `consistent`: all changes so far may be committed with its state.
  void AddCheckpoint(absl::Duration now, bool consistent);
  // The connector asks for a commit at the last checkpoint.
  void AddFlush() { flush_ = has_checkpoint_; }
  // After a commit or a rollback.
  void Clear();

  bool open() const { return open_; }  // something waits for a commit
  // The last checkpoint was consistent and no change came after it.
  bool at_checkpoint() const { return at_checkpoint_; }
  bool has_checkpoint() const { return has_checkpoint_; }  // a checkpoint waits for its commit
  bool flush() const { return flush_; }

  // At a checkpoint: enough rows, bytes or time for a commit, or a flush was asked for.
  bool Due(absl::Duration now) const;
  // At a checkpoint: commits as soon as nothing further has arrived.
  bool DueWhenIdle() const { return at_checkpoint_ && limits_.when_idle; }
  // Open for too long: rows commit without moving the state, where that is allowed.
  bool Overdue(absl::Duration now) const { return open_ && now - opened_ >= limits_.max_open; }
  // How long nothing becomes due by time alone; infinite when nothing is open.
  absl::Duration Patience(absl::Duration now) const;

 private:
  GroupLimits limits_;
  bool open_ = false;
  bool at_checkpoint_ = false;
  bool has_checkpoint_ = false;
  bool flush_ = false;
  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;
  absl::Duration opened_;
};

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_COMMIT_GROUP_H_
