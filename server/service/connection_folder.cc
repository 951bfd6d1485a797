#include "service/connection_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "control/references.h"

namespace tidemark {
namespace {

constexpr size_t kMaxFiles = 10'000;
// Coarser than the clock of any file system.
constexpr absl::Duration kFresh = absl::Seconds(2);
constexpr int kTries = 10;  // to open a file while others are renamed

bool IsConnectionFile(absl::string_view name) {
  return name[0] != '.' && (absl::EndsWith(name, ".yaml") || absl::EndsWith(name, ".yml"));
}

int64_t Nanoseconds(const struct timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

class OpenDescriptor {
 public:
  explicit OpenDescriptor(int fd) : fd_(fd) {}
  ~OpenDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  OpenDescriptor(const OpenDescriptor&) = delete;
  OpenDescriptor& operator=(const OpenDescriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

std::string WhyNot(int error) {
  if (error == EACCES || error == EPERM) return "this user may not read it; change its mode";
  if (error == ENOENT) return "it is gone, or a link that leads nowhere";
  if (error == ELOOP) return "links that lead in a circle, or that this kernel cannot follow";
  if (error == EXDEV) return "a link that leads out of the folder; put the file itself there";
  return absl::StrCat("it cannot be read (", std::strerror(error), ")");
}

// A file of the folder by its name; links are followed within the folder only. -1 and errno.
int OpenWithin(int folder, const std::string& name) {
  struct open_how how = {};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;  // a pipe is not waited for
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  long file = -1;
  int tries = 0;
  do {  // EAGAIN: something was renamed meanwhile
    file = syscall(SYS_openat2, folder, name.c_str(), &how, sizeof(how));
  } while (file < 0 && errno == EAGAIN && ++tries < kTries);
  // Before Linux 5.6, or within a container that does not know the call: no link at all.
  if (file < 0 && (errno == ENOSYS || errno == EPERM)) {
    return openat(folder, name.c_str(), static_cast<int>(how.flags) | O_NOFOLLOW);
  }
  return static_cast<int>(file);
}

}  // namespace

ConnectionFolder::ConnectionFolder(std::string folder, Clock* clock)
    : folder_(std::move(folder)), clock_(clock) {}

bool ConnectionFolder::Stamp::Same(const Stamp& other) const {
  return device == other.device && inode == other.inode && bytes == other.bytes &&
         modified_ns == other.modified_ns && changed_ns == other.changed_ns;
}

absl::StatusOr<std::vector<std::string>> ConnectionFolder::Names() const {
  DIR* const folder = opendir(folder_.c_str());
  if (folder == nullptr) {
    const int error = errno;
    const std::string text =
        absl::StrCat("the folder of connections ", folder_, " cannot be read (",
                     std::strerror(error), "); make it, or name another one");
    return error == ENOENT || error == ENOTDIR ? absl::NotFoundError(text)
                                               : absl::UnavailableError(text);
  }
  std::vector<std::string> names;
  int error = 0;
  while (true) {
    errno = 0;
    const struct dirent* const entry = readdir(folder);
    if (entry == nullptr) {
      error = errno;
      break;
    }
    if (IsConnectionFile(entry->d_name)) names.emplace_back(entry->d_name);
    if (names.size() > kMaxFiles) break;
  }
  closedir(folder);
  // Half a list would look like removed connections.
  if (error != 0) {
    return absl::UnavailableError(absl::StrCat("the folder of connections ", folder_,
                                               " cannot be read (", std::strerror(error), ")"));
  }
  if (names.size() > kMaxFiles) {
    return absl::ResourceExhaustedError(absl::StrCat("the folder of connections ", folder_,
                                                     " holds more than ", kMaxFiles, " files"));
  }
  std::sort(names.begin(), names.end());
  return names;
}

ConnectionFolder::Stamp ConnectionFolder::StampOf(const struct stat& status) const {
  Stamp stamp;
  stamp.device = status.st_dev;
  stamp.inode = status.st_ino;
  stamp.bytes = status.st_size;
  stamp.modified_ns = Nanoseconds(status.st_mtim);
  stamp.changed_ns = Nanoseconds(status.st_ctim);
  const absl::Duration age = clock_->Now() - absl::FromUnixNanos(stamp.changed_ns);
  stamp.fresh = age < kFresh && age > -kFresh;
  return stamp;
}

ConnectionFolder::Stamp ConnectionFolder::Look(const std::string& path) const {
  struct stat status = {};
  if (stat(path.c_str(), &status) == 0) return StampOf(status);
  Stamp stamp;
  stamp.bytes = -int64_t{errno};  // another reason is a change too
  return stamp;
}

ConnectionFolder::Content ConnectionFolder::ReadFile(const std::string& name) const {
  Content content;
  const std::string path = absl::StrCat(folder_, "/", name);
  const OpenDescriptor folder(open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const OpenDescriptor file(folder.get() < 0 ? -1 : OpenWithin(folder.get(), name));
  struct stat status = {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0) {
    const int error = errno;
    content.stamp = Look(path);
    content.problem = absl::StrCat(path, ": ", WhyNot(error));
    return content;
  }
  content.stamp = StampOf(status);
  if (!S_ISREG(status.st_mode)) {
    content.problem = absl::StrCat(path, ": this is no file");
    return content;
  }
  char buffer[16384];
  while (content.text.size() <= kMaxDefinition) {
    const ssize_t got = read(file.get(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      content.problem = absl::StrCat(path, ": ", WhyNot(errno));
      return content;
    }
    if (got == 0) return content;
    content.text.append(buffer, static_cast<size_t>(got));
  }
  content.problem = absl::StrCat(path, ": larger than ", kMaxDefinition, " bytes");
  return content;
}

absl::StatusOr<std::vector<ConnectionFile>> ConnectionFolder::Read() {
  absl::StatusOr<std::vector<std::string>> names = Names();
  if (!names.ok()) return names.status();
  ReadVariables();
  std::map<std::string, Known> now;
  std::vector<ConnectionFile> files;
  for (const std::string& name : *names) {
    const std::string path = absl::StrCat(folder_, "/", name);
    Known& known = now[path];
    const auto before = known_.find(path);
    if (before != known_.end()) known = before->second;
    if (before == known_.end() || known.stamp.fresh || !known.stamp.Same(Look(path))) {
      Content content = ReadFile(name);
      known.stamp = content.stamp;
      known.file.path = path;
      known.file.problem = std::move(content.problem);
      if (!known.file.problem.empty()) {
        known.file.text = nullptr;
      } else if (known.file.text == nullptr || *known.file.text != content.text) {
        known.file.text = std::make_shared<const std::string>(std::move(content.text));
      }
    }
    files.push_back(known.file);
  }
  known_ = std::move(now);
  forgotten_ = false;
  return files;
}

void ConnectionFolder::ReadVariables() {
  const std::string path = absl::StrCat(folder_, "/.env");
  const Stamp stamp = Look(path);
  if (!stamp.fresh && stamp.Same(variables_stamp_)) return;
  variables_stamp_ = stamp;
  variables_problem_.clear();
  if (stamp.bytes == -ENOENT) {
    variables_.clear();
    return;
  }
  const Content content = ReadFile(".env");
  variables_stamp_ = content.stamp;
  variables_problem_ = content.problem;
  if (!variables_problem_.empty()) return;
  absl::StatusOr<std::map<std::string, std::string>> values = ParseDotEnv(path, content.text);
  if (values.ok()) {
    variables_ = *std::move(values);
  } else {
    variables_problem_ = std::string(values.status().message());
  }
}

bool ConnectionFolder::Changed() {
  if (forgotten_ || variables_stamp_.fresh ||
      !variables_stamp_.Same(Look(absl::StrCat(folder_, "/.env")))) {
    return true;
  }
  const absl::StatusOr<std::vector<std::string>> names = Names();
  if (!names.ok() || names->size() != known_.size()) return true;
  for (const std::string& name : *names) {
    const auto known = known_.find(absl::StrCat(folder_, "/", name));
    if (known == known_.end() || known->second.stamp.fresh ||
        !known->second.stamp.Same(Look(known->first))) {
      return true;
    }
  }
  return false;
}

}  // namespace tidemark
