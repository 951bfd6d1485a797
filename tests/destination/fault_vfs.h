// The n-th operation on a database's files fails, as a full disk or a broken one would make it
// (SQLite's own anomaly tests are the model). While one lives, every database that is opened goes
// through it. One at a time; confined to one thread.
#ifndef TIDEMARK_TESTS_DESTINATION_FAULT_VFS_H_
#define TIDEMARK_TESTS_DESTINATION_FAULT_VFS_H_

#include <cstdint>
#include <set>
#include <string>

#include "tests/destination/shim_vfs.h"
#include "tests/simulation/dice.h"

namespace tidemark {

struct FaultPlan {
  int fail_at = 0;         // the operation that fails, counted from 1; 0: none
  int code = SQLITE_FULL;  // what a write returns; others return an I/O error of their own kind
  bool stays = false;      // every later operation fails as well
  // Opens, reads, sizes, locks and deletes count too, else writes, truncates and syncs alone.
  bool all = false;
  int weight = 0;  // besides, each one fails so many times of a thousand
  uint64_t seed = 0;
};

class FaultVfs final : private DiskWatcher {
 public:
  explicit FaultVfs(const FaultPlan& plan) : plan_(plan), dice_(plan.seed), shim_(*this) {}

  // Another plan from now on; operations go on being counted.
  void Replan(const FaultPlan& plan) { plan_ = plan; }

  int operations() const { return operations_; }  // so far
  bool fired() const { return fired_; }
  // A file's sync failed, and it was not opened again: what it holds is not known, and a second
  // sync of it proves nothing.
  bool unsynced() const { return !unsynced_.empty(); }
  // What failed first: "3 of warehouse.db-wal" with the number of DiskOperation.
  const std::string& failed() const { return failed_; }

 private:
  int Before(const DiskCall& call) override;

  FaultPlan plan_;
  Dice dice_;
  int operations_ = 0;
  bool fired_ = false;
  std::set<std::string> unsynced_;  // paths
  std::string failed_;
  const ShimVfs shim_;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_DESTINATION_FAULT_VFS_H_
