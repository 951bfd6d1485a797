#include "tests/destination/fault_vfs.h"

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

bool Writes(DiskOperation operation) {
  return operation == DiskOperation::kWrite || operation == DiskOperation::kTruncate ||
         operation == DiskOperation::kSync;
}

// A full disk fails writes; everything else that goes wrong is an I/O error of its own kind.
int CodeOf(DiskOperation operation, int code) {
  switch (operation) {
    case DiskOperation::kOpen:
      return SQLITE_CANTOPEN;
    case DiskOperation::kRead:
      return SQLITE_IOERR_READ;
    case DiskOperation::kSync:
      return SQLITE_IOERR_FSYNC;
    case DiskOperation::kDelete:
      return SQLITE_IOERR_DELETE;
    case DiskOperation::kSize:
      return SQLITE_IOERR_FSTAT;
    case DiskOperation::kLock:
      return SQLITE_IOERR_LOCK;
    case DiskOperation::kShared:
      return SQLITE_IOERR_SHMMAP;
    default:
      return code;
  }
}

}  // namespace

int FaultVfs::Before(const DiskCall& call) {
  if (call.operation == DiskOperation::kOpen) unsynced_.erase(call.path);
  if (!plan_.all && !Writes(call.operation)) return SQLITE_OK;
  ++operations_;
  const bool due = plan_.fail_at > 0 &&
                   (operations_ == plan_.fail_at || (plan_.stays && operations_ > plan_.fail_at));
  if (!due && !dice_.Chance(static_cast<uint64_t>(plan_.weight))) return SQLITE_OK;
  if (!fired_) {
    failed_ = absl::StrCat(static_cast<int>(call.operation), " of ",
                           call.path.substr(call.path.rfind('/') + 1));
  }
  fired_ = true;
  if (call.operation == DiskOperation::kSync) unsynced_.insert(call.path);
  return CodeOf(call.operation, plan_.code);
}

}  // namespace tidemark
