#include "state/connection_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "core/failpoint.h"

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

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectionLock>> ConnectionLock::Acquire(
    const std::string& database, absl::string_view connection) {
  const std::string path = LockPath(database, connection);
  // Made first: a lock that is held must not be lost for want of memory.
  std::unique_ptr<ConnectionLock> held(new ConnectionLock(-1, path));
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
      held->fd_ = fd;
      return held;
    }
    close(fd);
  }
}

ConnectionLock::~ConnectionLock() {
  // Still locked: whoever opened it meanwhile sees it gone and tries again. A file that somebody
  // else has put in its place stays.
  struct stat mine = {};
  struct stat there = {};
  if (fstat(fd_, &mine) == 0 && stat(path_.c_str(), &there) == 0 && mine.st_ino == there.st_ino &&
      mine.st_dev == there.st_dev) {
    PassFailpoint("lock.release");
    unlink(path_.c_str());
  }
  close(fd_);
}

}  // namespace tidemark
