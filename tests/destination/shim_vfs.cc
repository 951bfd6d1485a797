#include "tests/destination/shim_vfs.h"

#include <cstring>

namespace tidemark {
namespace {

// State of the one ShimVfs that lives; SQLite's callbacks have no other way to it.
struct Shim {
  DiskWatcher* watcher = nullptr;
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs vfs;
  sqlite3_io_methods methods;
};
Shim shim;

struct File {
  sqlite3_file base;
  sqlite3_file* real;  // directly behind this struct
  std::string* path;
};

File* Mine(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
sqlite3_file* Real(sqlite3_file* file) { return Mine(file)->real; }

// Does `work` unless the watcher refuses it.
template <typename Work>
int Watched(const DiskCall& call, Work work) {
  // A file may outlive the shim it was opened through.
  if (shim.watcher == nullptr) return work();
  const int fault = shim.watcher->Before(call);
  if (fault != SQLITE_OK) return fault;
  const int code = work();
  if (code == SQLITE_OK && shim.watcher != nullptr) shim.watcher->After(call);
  return code;
}

int Close(sqlite3_file* f) {
  delete Mine(f)->path;
  return Real(f)->pMethods->xClose(Real(f));
}
int Read(sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
  return Watched({DiskOperation::kRead, *Mine(f)->path, at, nullptr, size},
                 [&] { return Real(f)->pMethods->xRead(Real(f), to, size, at); });
}
int Write(sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
  bool tried = false;
  const int code = Watched({DiskOperation::kWrite, *Mine(f)->path, at, from, size}, [&] {
    tried = true;
    return Real(f)->pMethods->xWrite(Real(f), from, size, at);
  });
  if (!tried && size > 1) Real(f)->pMethods->xWrite(Real(f), from, size / 2, at);
  return code;
}
int Truncate(sqlite3_file* f, sqlite3_int64 size) {
  return Watched({DiskOperation::kTruncate, *Mine(f)->path, size},
                 [&] { return Real(f)->pMethods->xTruncate(Real(f), size); });
}
int Sync(sqlite3_file* f, int flags) {
  return Watched({DiskOperation::kSync, *Mine(f)->path},
                 [&] { return Real(f)->pMethods->xSync(Real(f), flags); });
}
int FileSize(sqlite3_file* f, sqlite3_int64* size) {
  return Watched({DiskOperation::kSize, *Mine(f)->path},
                 [&] { return Real(f)->pMethods->xFileSize(Real(f), size); });
}
int Lock(sqlite3_file* f, int level) {
  return Watched({DiskOperation::kLock, *Mine(f)->path},
                 [&] { return Real(f)->pMethods->xLock(Real(f), level); });
}
int Unlock(sqlite3_file* f, int level) { return Real(f)->pMethods->xUnlock(Real(f), level); }
int CheckReservedLock(sqlite3_file* f, int* out) {
  return Real(f)->pMethods->xCheckReservedLock(Real(f), out);
}
int FileControl(sqlite3_file* f, int operation, void* argument) {
  if (operation == SQLITE_FCNTL_PRAGMA && shim.watcher != nullptr) {
    // [1]: the name, [2]: its value in memory of the statement's own.
    char** const texts = static_cast<char**>(argument);
    if (texts[2] != nullptr) {
      const std::string value = shim.watcher->PragmaValue(texts[1], texts[2]);
      if (value.size() <= std::strlen(texts[2])) std::strcpy(texts[2], value.c_str());
    }
  }
  return Real(f)->pMethods->xFileControl(Real(f), operation, argument);
}
int SectorSize(sqlite3_file* f) { return Real(f)->pMethods->xSectorSize(Real(f)); }
int DeviceCharacteristics(sqlite3_file* f) {
  return Real(f)->pMethods->xDeviceCharacteristics(Real(f));
}
int ShmMap(sqlite3_file* f, int page, int size, int extend, void volatile** out) {
  return Watched({DiskOperation::kShared, *Mine(f)->path},
                 [&] { return Real(f)->pMethods->xShmMap(Real(f), page, size, extend, out); });
}
int ShmLock(sqlite3_file* f, int offset, int n, int flags) {
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    return Real(f)->pMethods->xShmLock(Real(f), offset, n, flags);
  }
  return Watched({DiskOperation::kLock, *Mine(f)->path},
                 [&] { return Real(f)->pMethods->xShmLock(Real(f), offset, n, flags); });
}
void ShmBarrier(sqlite3_file* f) { Real(f)->pMethods->xShmBarrier(Real(f)); }
int ShmUnmap(sqlite3_file* f, int remove) { return Real(f)->pMethods->xShmUnmap(Real(f), remove); }

int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  File* const mine = Mine(file);
  mine->real = reinterpret_cast<sqlite3_file*>(mine + 1);
  mine->base.pMethods = nullptr;
  mine->path = new std::string(name == nullptr ? "" : name);
  const int code = Watched({DiskOperation::kOpen, *mine->path}, [&] {
    return shim.real->xOpen(shim.real, name, mine->real, flags, out);
  });
  if (code == SQLITE_OK) {
    mine->base.pMethods = &shim.methods;
  } else {
    delete mine->path;
  }
  return code;
}
int Delete(sqlite3_vfs*, const char* name, int sync_folder) {
  const std::string path = name;
  return Watched({DiskOperation::kDelete, path},
                 [&] { return shim.real->xDelete(shim.real, name, sync_folder); });
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

ShimVfs::ShimVfs(DiskWatcher& watcher) {
  shim.watcher = &watcher;
  if (shim.real == nullptr) shim.real = sqlite3_vfs_find(nullptr);
  shim.methods = Methods();
  // The default VFS with other calls: those that stay find their own object in pAppData.
  shim.vfs = *shim.real;
  shim.vfs.zName = "tidemark-shim";
  shim.vfs.szOsFile += static_cast<int>(sizeof(File));
  shim.vfs.xOpen = Open;
  shim.vfs.xDelete = Delete;
  sqlite3_vfs_register(&shim.vfs, 1);
}

ShimVfs::~ShimVfs() {
  sqlite3_vfs_unregister(&shim.vfs);
  sqlite3_vfs_register(shim.real, 1);
  shim.watcher = nullptr;
}

}  // namespace tidemark
