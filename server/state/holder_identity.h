// Which process holds something, in a way that survives reboots and reused process ids.
#ifndef TIDEMARK_STATE_HOLDER_IDENTITY_H_
#define TIDEMARK_STATE_HOLDER_IDENTITY_H_

#include <cstdint>
#include <optional>
#include <string>

namespace tidemark {

struct HolderIdentity {
  std::string boot_id;
  int64_t pid = 0;
  int64_t start = 0;  // clock ticks after boot, field 22 of /proc/PID/stat
};

HolderIdentity CurrentProcess();
// False when the identity is of another boot (or machine), or no process of this pid started then.
bool IsAlive(const HolderIdentity& holder);
bool IsCurrent(const HolderIdentity& holder);
// True while the process is stopped by a signal or a debugger.
bool IsStopped(int64_t pid);

// The process that has the write lock of a SQLite file in WAL mode, as the kernel lists it
// (/proc/locks; byte 120 of the -shm file, sqlite.org/walformat.html section 2.3.1).
std::optional<int64_t> SqliteWriter(const std::string& database);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_HOLDER_IDENTITY_H_
