// A SQLite VFS over the default one that shows every operation to a watcher, which may refuse it.
// While one lives, every database that is opened goes through it. One at a time; confined to one
// thread.
#ifndef TIDEMARK_TESTS_DESTINATION_SHIM_VFS_H_
#define TIDEMARK_TESTS_DESTINATION_SHIM_VFS_H_

#include <sqlite3.h>

#include <cstdint>
#include <string>

namespace tidemark {

enum class DiskOperation {
  kOpen,
  kRead,
  kWrite,
  kTruncate,
  kSync,
  kDelete,
  kSize,
  kLock,    // taking one, of the file or of the log's shared memory
  kShared,  // mapping the log's shared memory
};

struct DiskCall {
  DiskOperation operation;
  const std::string& path;
  sqlite3_int64 offset = 0;     // of a read or write; the new size of a truncate
  const void* bytes = nullptr;  // of a write
  int size = 0;                 // of a read or write
};

class DiskWatcher {
 public:
  virtual ~DiskWatcher() = default;
  // SQLITE_OK, or what is returned instead of doing it. A refused write leaves its first half, as
  // a full disk does.
  virtual int Before(const DiskCall& call) = 0;
  // It was done.
  virtual void After(const DiskCall&) {}
  // A pragma on a database; what it returns replaces the value and is not longer.
  virtual std::string PragmaValue(const std::string& name, const std::string& value) {
    static_cast<void>(name);
    return value;
  }
};

class ShimVfs {
 public:
  // `watcher` is borrowed.
  explicit ShimVfs(DiskWatcher& watcher);
  ~ShimVfs();
  ShimVfs(const ShimVfs&) = delete;
  ShimVfs& operator=(const ShimVfs&) = delete;
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_DESTINATION_SHIM_VFS_H_
