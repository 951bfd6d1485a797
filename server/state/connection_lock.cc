#include "state/connection_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/digest.h"

namespace tidemark {
namespace {

// "<database>.<connection>.lock"; a name that no file may have is replaced by its hash.
std::string LockPath(const std::string& database, absl::string_view connection) {
  char resolved[PATH_MAX];
  const std::string real = realpath(database.c_str(), resolved) != nullptr ? resolved : database;
  bool plain = !connection.empty() && connection.size() <= 64;
  for (char c : connection) {
    plain = plain && (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-');
  }
  return absl::StrCat(real, ".",
                      plain ? std::string(connection)
                            : absl::StrCat("~", Hex(Blake2b256(connection)).substr(0, 32)),
                      ".lock");
}

absl::Status CannotLock(const std::string& path, int error) {
  const std::string text =
      absl::StrCat("the lock file ", path, " cannot be made (", std::strerror(error), ")");
  if (error == ENOSPC || error == EDQUOT) {
    return absl::ResourceExhaustedError(absl::StrCat(text, "; free some space and run again"));
  }
  if (error == EACCES || error == EPERM || error == EROFS) {
    return absl::PermissionDeniedError(
        absl::StrCat(text, "; make the database's folder writable for this user"));
  }
  return absl::UnavailableError(text);
}

std::string FirstLine(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectionLock>> ConnectionLock::Acquire(
    const std::string& database, absl::string_view connection) {
  const std::string path = LockPath(database, connection);
  while (true) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return CannotLock(path, errno);
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
      const int error = errno;
      close(fd);
      if (error == EAGAIN || error == EACCES) {
        return absl::AlreadyExistsError(absl::StrCat(path, " is locked"));
      }
      return CannotLock(path, error);
    }
    // The holder before us may have removed the file between our open and our lock.
    struct stat mine = {};
    struct stat there = {};
    if (fstat(fd, &mine) == 0 && stat(path.c_str(), &there) == 0 && mine.st_ino == there.st_ino &&
        mine.st_dev == there.st_dev) {
      return std::unique_ptr<ConnectionLock>(new ConnectionLock(fd, path));
    }
    close(fd);
  }
}

ConnectionLock::~ConnectionLock() {
  unlink(path_.c_str());  // still locked: whoever opened it meanwhile sees it gone and tries again
  close(fd_);
}

HolderIdentity CurrentProcess() {
  HolderIdentity self;
  self.boot_id = FirstLine("/proc/sys/kernel/random/boot_id");
  self.pid = getpid();
  const std::string stat = FirstLine("/proc/self/stat");
  // The second field is the program's name in parentheses and may hold blanks.
  const size_t end = stat.rfind(')');
  if (end != std::string::npos) {
    const std::vector<absl::string_view> fields =
        absl::StrSplit(absl::string_view(stat).substr(end + 1), ' ', absl::SkipEmpty());
    if (fields.size() > 19 && !absl::SimpleAtoi(fields[19], &self.start)) self.start = 0;
  }
  return self;
}

}  // namespace tidemark
