#include "access/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "access/secret_key.h"

namespace tidemark {
namespace {

absl::Status SystemError(absl::string_view name, int error) {
  if (error == ENOENT || error == ENOTDIR) {
    return absl::NotFoundError(absl::StrCat(name, " does not exist"));
  }
  if (error == EACCES || error == EPERM) {
    return absl::PermissionDeniedError(absl::StrCat(
        name, " cannot be read by this user; make it its owner's (chown, chmod 0400)"));
  }
  return absl::UnavailableError(absl::StrCat(name, " cannot be read (", std::strerror(error), ")"));
}

absl::Status CheckFile(absl::string_view name, const std::string& path, const struct stat& found,
                       const PrivateFileRules& rules) {
  if (!S_ISREG(found.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is no plain file"));
  }
  if ((found.st_mode & rules.forbidden_mode) != 0) {
    const bool group = (found.st_mode & rules.forbidden_mode & 070) != 0;
    return absl::PermissionDeniedError(
        absl::StrFormat("%s is open to %s (mode %04o); run: chmod %s %s", name,
                        group ? "its group or others" : "others", found.st_mode & 07777,
                        (rules.forbidden_mode & 070) != 0 ? "0400" : "o-rwx", path));
  }
  if (found.st_uid != geteuid() && found.st_uid != 0) {
    return absl::PermissionDeniedError(absl::StrCat(name, " belongs to user ", found.st_uid,
                                                    ", who could replace it; run: chown ",
                                                    geteuid(), " ", path));
  }
  if (found.st_size > static_cast<off_t>(rules.max_bytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " has ", found.st_size, " bytes, at most ", rules.max_bytes));
  }
  return absl::OkStatus();
}

// Of at most `max_bytes`. The buffer is never moved, so that no copy of a key stays behind.
absl::StatusOr<std::string> ReadAll(absl::string_view name, int fd, size_t max_bytes) {
  std::string bytes(max_bytes + 1, '\0');
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = read(fd, bytes.data() + size, bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int error = errno;
      Wipe(&bytes);
      return SystemError(name, error);
    }
    if (count == 0) {
      bytes.resize(size);
      return bytes;
    }
    size += static_cast<size_t>(count);
  }
  Wipe(&bytes);
  return absl::InvalidArgumentError(absl::StrCat(name, " has more than ", max_bytes, " bytes"));
}

absl::StatusOr<std::string> ReadChecked(const std::string& path, int fd,
                                        const PrivateFileRules& rules) {
  const std::string name = absl::StrCat(rules.what, " file ", path);
  if (fd < 0) return SystemError(name, errno);
  struct stat found = {};
  if (fstat(fd, &found) != 0) return SystemError(name, errno);
  if (absl::Status s = CheckFile(name, path, found, rules); !s.ok()) return s;
  return ReadAll(name, fd, rules.max_bytes);
}

}  // namespace

absl::StatusOr<std::string> ReadPrivateFile(const std::string& path,
                                            const PrivateFileRules& rules) {
  // Without O_NONBLOCK a named pipe would hold us here.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  absl::StatusOr<std::string> bytes = ReadChecked(path, fd, rules);
  if (fd >= 0) close(fd);
  return bytes;
}

}  // namespace tidemark
