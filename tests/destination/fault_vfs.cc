#include "tests/destination/fault_vfs.h"

#include <cstring>

namespace tidemark {
namespace {

// State of the one FaultVfs that lives; SQLite's callbacks have no other way to it.
struct Faults {
  FaultPlan plan;
  int operations = 0;
  bool fired = false;
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs shim;
  sqlite3_io_methods methods;
};
Faults faults;

struct File {
  sqlite3_file base;
  sqlite3_file* real;  // directly behind this struct
};

sqlite3_file* Real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }

// SQLITE_OK, or the fault that is due.
int NextOperation(bool sync) {
  ++faults.operations;
  const FaultPlan& plan = faults.plan;
  if (plan.fail_at == 0) return SQLITE_OK;
  if (faults.operations != plan.fail_at && !(plan.stays && faults.operations > plan.fail_at)) {
    return SQLITE_OK;
  }
  faults.fired = true;
  return sync ? SQLITE_IOERR_FSYNC : plan.code;
}

int Close(sqlite3_file* f) { return Real(f)->pMethods->xClose(Real(f)); }
int Read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
  return Real(f)->pMethods->xRead(Real(f), to, size, at);
}
int Write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
  const int fault = NextOperation(false);
  if (fault == SQLITE_OK) return Real(f)->pMethods->xWrite(Real(f), from, size, at);
  // A full disk takes the first half.
  if (size > 1) Real(f)->pMethods->xWrite(Real(f), from, size / 2, at);
  return fault;
}
int Truncate(sqlite3_file* f, sqlite3_int64 size) {
  const int fault = NextOperation(false);
  return fault == SQLITE_OK ? Real(f)->pMethods->xTruncate(Real(f), size) : fault;
}
int Sync(sqlite3_file* f, int flags) {
  const int fault = NextOperation(true);
  return fault == SQLITE_OK ? Real(f)->pMethods->xSync(Real(f), flags) : fault;
}
int FileSize(sqlite3_file* f, sqlite3_int64* size) {
  return Real(f)->pMethods->xFileSize(Real(f), size);
}
int Lock(sqlite3_file* f, int level) { return Real(f)->pMethods->xLock(Real(f), level); }
int Unlock(sqlite3_file* f, int level) { return Real(f)->pMethods->xUnlock(Real(f), level); }
int CheckReservedLock(sqlite3_file* f, int* out) {
  return Real(f)->pMethods->xCheckReservedLock(Real(f), out);
}
int FileControl(sqlite3_file* f, int op, void* argument) {
  return Real(f)->pMethods->xFileControl(Real(f), op, argument);
}
int SectorSize(sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); }
int DeviceCharacteristics(sqlite3_file* f) {
  return Real(f)->pMethods->xDeviceCharacteristics(Real(f));
}
int ShmMap(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, out);
}
int ShmLock(sqlite3_file* f, int offset, int n, int flags) {
  return Real(f)->pMethods->xShmLock(Real(f), offset, n, flags);
}
void ShmBarrier(sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); }
int ShmUnmap(sqlite3_file* f, int remove) { return Real(f)->pMethods->xShmUnmap(Real(f), remove); }

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  File* const mine = reinterpret_cast<File*>(file);
  mine->real = reinterpret_cast<sqlite3_file*>(mine + 1);
  mine->base.pMethods = nullptr;
  const int code = faults.real->xOpen(faults.real, name, mine->real, flags, out);
  if (mine->real->pMethods != nullptr) mine->base.pMethods = &faults.methods;
  return code;
}

sqlite3_io_methods Methods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 2;
  methods.xClose = Close;
  methods.xRead = Read;
  methods.xWrite = Write;
  methods.xTruncate = Truncate;
  methods.xSync = Sync;
  methods.xFileSize = FileSize;
  methods.xLock = Lock;
  methods.xUnlock = Unlock;
  methods.xCheckReservedLock = CheckReservedLock;
  methods.xFileControl = FileControl;
  methods.xSectorSize = SectorSize;
  methods.xDeviceCharacteristics = DeviceCharacteristics;
  methods.xShmMap = ShmMap;
  methods.xShmLock = ShmLock;
  methods.xShmBarrier = ShmBarrier;
  methods.xShmUnmap = ShmUnmap;
  return methods;
}

}  // namespace

FaultVfs::FaultVfs(const FaultPlan& plan) {
  faults.plan = plan;
  faults.operations = 0;
  faults.fired = false;
  if (faults.real == nullptr) faults.real = sqlite3_vfs_find(nullptr);
  faults.methods = Methods();
  // The default VFS with another xOpen: its other calls find their own object in pAppData.
  faults.shim = *faults.real;
  faults.shim.zName = "tidemark-fault";
  faults.shim.szOsFile += static_cast<int>(sizeof(File));
  faults.shim.xOpen = Open;
  sqlite3_vfs_register(&faults.shim, 1);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&faults.shim);
  sqlite3_vfs_register(faults.real, 1);
}

void FaultVfs::Replan(const FaultPlan& plan) { faults.plan = plan; }

int FaultVfs::operations() const { return faults.operations; }
bool FaultVfs::fired() const { return faults.fired; }

}  // namespace tidemark
