// A SQLite VFS over the default one whose n-th write or sync fails, as a full disk or a broken one
// would make it (SQLite's own anomaly tests are the model). While one lives, every file that is
// opened goes through it. One at a time; confined to one thread.
#ifndef TIDEMARK_TESTS_DESTINATION_FAULT_VFS_H_
#define TIDEMARK_TESTS_DESTINATION_FAULT_VFS_H_

#include <sqlite3.h>

namespace tidemark {

struct FaultPlan {
  int fail_at = 0;         // the operation that fails, counted from 1; 0: none
  int code = SQLITE_FULL;  // what it returns; syncs return SQLITE_IOERR_FSYNC for SQLITE_FULL
  bool stays = false;      // every later operation fails as well
};

class FaultVfs {
 public:
  explicit FaultVfs(const FaultPlan& plan);
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // Another plan from now on; operations go on being counted.
  void Replan(const FaultPlan& plan);

  int operations() const;  // writes, truncates and syncs so far
  bool fired() const;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_DESTINATION_FAULT_VFS_H_
