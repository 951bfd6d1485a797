#include "state/holder_identity.h"

#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace tidemark {
namespace {

constexpr int64_t kWalWriteLockByte = 120;

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string BootId() { return FirstLine("/proc/sys/kernel/random/boot_id"); }

struct Found {
  char state = 'X';  // 'X': there is no such process
  int64_t start = 0;
};

Found Look(int64_t pid) {
  Found found;
  const std::string stat = FirstLine(absl::StrCat("/proc/", pid, "/stat"));
  // The second field is the program's name in parentheses and may hold blanks.
  const size_t end = stat.rfind(')');
  if (end == std::string::npos) return found;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(stat).substr(end + 1), ' ', absl::SkipEmpty());
  if (fields.size() <= 19 || !absl::SimpleAtoi(fields[19], &found.start)) return Found();
  found.state = fields[0][0];
  return found;
}

}  // namespace

HolderIdentity CurrentProcess() {
  HolderIdentity self;
  self.boot_id = BootId();
  self.pid = getpid();
  self.start = Look(self.pid).start;
  return self;
}

bool IsAlive(const HolderIdentity& holder) {
  if (holder.pid <= 0 || holder.boot_id != BootId()) return false;
  const Found found = Look(holder.pid);
  // One that has ended but was not waited for is gone as well.
  return found.state != 'X' && found.state != 'Z' && found.start == holder.start;
}

bool IsCurrent(const HolderIdentity& holder) {
  const HolderIdentity self = CurrentProcess();
  return holder.boot_id == self.boot_id && holder.pid == self.pid && holder.start == self.start;
}

bool IsStopped(int64_t pid) {
  const char state = Look(pid).state;
  return state == 'T' || state == 't';
}

std::optional<int64_t> SqliteWriter(const std::string& database) {
  char resolved[PATH_MAX];
  const std::string real = realpath(database.c_str(), resolved) != nullptr ? resolved : database;
  struct stat shm = {};
  if (stat(absl::StrCat(real, "-shm").c_str(), &shm) != 0) return std::nullopt;
  std::ifstream locks("/proc/locks");
  std::string line;
  // "7: POSIX  ADVISORY  WRITE 4711 00:2d:1234567 120 120"
  while (std::getline(locks, line)) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (fields.size() != 8 || fields[1] != "POSIX" || fields[3] != "WRITE") continue;
    const std::vector<absl::string_view> file = absl::StrSplit(fields[5], ':');
    uint64_t inode = 0;
    int64_t pid = 0;
    int64_t first = 0;
    int64_t last = 0;
    if (file.size() != 3 || !absl::SimpleAtoi(file[2], &inode) || inode != shm.st_ino ||
        !absl::SimpleAtoi(fields[4], &pid) || !absl::SimpleAtoi(fields[6], &first) ||
        !absl::SimpleAtoi(fields[7], &last)) {
      continue;
    }
    if (first <= kWalWriteLockByte && kWalWriteLockByte <= last && pid > 0) return pid;
  }
  return std::nullopt;
}

}  // namespace tidemark
