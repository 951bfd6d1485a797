#include "core/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "core/failpoint.h"

namespace tidemark {
namespace {

// `what` completes "cannot ...": "be read".
absl::Status FileError(absl::string_view path, absl::string_view what, int error) {
  const std::string text = absl::StrCat(path, " cannot ", what, " (", std::strerror(error), ")");
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(text);
    case EEXIST:
      return absl::AlreadyExistsError(text);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(
          absl::StrCat(text, "; make it and its folder readable and writable for this user"));
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(absl::StrCat(text, "; free some space and run again"));
    case EMFILE:
    case ENFILE:
      return absl::ResourceExhaustedError(
          absl::StrCat(text, "; raise the limit of open files (ulimit -n)"));
    default:
      return absl::UnavailableError(
          absl::StrCat(text, "; check the disk and the kernel's log, then run again"));
  }
}

class OpenFile {
 public:
  OpenFile(const std::string& path, int flags)
      : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)), error_(fd_ < 0 ? errno : 0) {}
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int fd() const { return fd_; }
  int error() const { return error_; }  // of opening; 0: open
  // Some file systems report a lack of space only here. The descriptor is gone either way.
  int Close() { return close(std::exchange(fd_, -1)) == 0 ? 0 : errno; }

 private:
  int fd_;
  const int error_;
};

// 0 or an errno.
int WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), ShortWrite("file.write", bytes.size()));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

absl::Status Write(const std::string& path, int flags, absl::string_view bytes) {
  OpenFile file(path, O_WRONLY | O_CREAT | O_NOFOLLOW | flags);
  if (file.error() != 0) return FileError(path, "be created", file.error());
  int error = WriteAll(file.fd(), bytes);
  const int closing = file.Close();
  if (error == 0) error = closing;
  return error == 0 ? absl::OkStatus() : FileError(path, "be written", error);
}

absl::Status Sync(const std::string& path, int flags) {
  const OpenFile file(path, O_RDONLY | flags);
  if (file.error() != 0) return FileError(path, "be opened", file.error());
  if (fsync(file.fd()) == 0) return absl::OkStatus();
  return FileError(path, "be made durable", errno);
}

class RealFileSystem final : public FileSystem {
 public:
  absl::StatusOr<std::string> Read(const std::string& path) override;
  absl::Status WriteNew(const std::string& path, absl::string_view bytes) override {
    return Write(path, O_EXCL, bytes);
  }
  absl::Status Append(const std::string& path, absl::string_view bytes) override {
    return Write(path, O_APPEND, bytes);
  }
  absl::Status SyncFile(const std::string& path) override { return Sync(path, 0); }
  absl::Status SyncFolder(const std::string& folder) override { return Sync(folder, O_DIRECTORY); }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
    return FileError(from, absl::StrCat("be renamed to ", to), errno);
  }
  absl::Status RenameNew(const std::string& from, const std::string& to) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& folder) override;
  absl::Status Remove(const std::string& path) override {
    if (remove(path.c_str()) == 0) return absl::OkStatus();
    return FileError(path, "be removed", errno);
  }
  absl::StatusOr<bool> Exists(const std::string& path) override {
    struct stat found = {};
    if (lstat(path.c_str(), &found) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return FileError(path, "be looked at", errno);
  }
  absl::StatusOr<int64_t> Size(const std::string& path) override {
    struct stat found = {};
    if (stat(path.c_str(), &found) != 0) return FileError(path, "be looked at", errno);
    return static_cast<int64_t>(found.st_size);
  }
  absl::Status MakeFolder(const std::string& folder) override;
};

absl::StatusOr<std::string> RealFileSystem::Read(const std::string& path) {
  const OpenFile file(path, O_RDONLY);
  if (file.error() != 0) return FileError(path, "be read", file.error());
  struct stat found = {};
  std::string bytes;
  if (fstat(file.fd(), &found) == 0 && found.st_size > 0) {
    bytes.reserve(static_cast<size_t>(found.st_size));
  }
  char block[64 * 1024];
  while (true) {
    const ssize_t count = read(file.fd(), block, sizeof(block));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FileError(path, "be read", errno);
    if (count == 0) return bytes;
    bytes.append(block, static_cast<size_t>(count));
  }
}

absl::Status RealFileSystem::RenameNew(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
    return absl::OkStatus();
  }
  int error = errno;
  if (error == EINVAL || error == ENOSYS) {
    // A file system without RENAME_NOREPLACE: a second name is just as exclusive.
    if (link(from.c_str(), to.c_str()) == 0) {
      unlink(from.c_str());
      return absl::OkStatus();
    }
    error = errno;
  }
  return FileError(error == EEXIST ? to : from, absl::StrCat("be renamed to ", to), error);
}

absl::StatusOr<std::vector<std::string>> RealFileSystem::List(const std::string& folder) {
  DIR* const stream = opendir(folder.c_str());
  if (stream == nullptr) return FileError(folder, "be listed", errno);
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* const entry = readdir(stream);
    if (entry == nullptr) break;
    const absl::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  const int error = errno;
  closedir(stream);
  if (error != 0) return FileError(folder, "be listed", error);
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status RealFileSystem::MakeFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) == 0) return absl::OkStatus();
  int error = errno;
  const std::string parent = FolderOf(folder);
  if (error == ENOENT && parent != folder) {
    if (absl::Status s = MakeFolder(parent); !s.ok()) return s;
    if (mkdir(folder.c_str(), 0700) == 0) return absl::OkStatus();
    error = errno;
  }
  struct stat found = {};
  if (error == EEXIST && stat(folder.c_str(), &found) == 0 && S_ISDIR(found.st_mode)) {
    return absl::OkStatus();
  }
  return FileError(folder, "be made a folder", error);
}

}  // namespace

FileSystem& FileSystem::Real() {
  static RealFileSystem* const real = new RealFileSystem;
  return *real;
}

absl::Status ReplaceFile(FileSystem& files, const std::string& path, absl::string_view bytes) {
  const std::string temporary = absl::StrCat(path, ".", RandomHex(8), ".tmp");
  absl::Status status = files.WriteNew(temporary, bytes);
  if (status.ok()) status = files.SyncFile(temporary);
  if (status.ok()) status = files.Rename(temporary, path);
  if (!status.ok()) {
    files.Remove(temporary).IgnoreError();
    return status;
  }
  return files.SyncFolder(FolderOf(path));
}

std::string FolderOf(absl::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

}  // namespace tidemark
