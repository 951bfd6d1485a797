#include "source/scratch_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kPrefix = "tidemark-scratch-";
constexpr absl::string_view kRandom = "XXXXXX";  // of mkdtemp
constexpr int kTries = 5;

std::string Parent() {
  const char* const folder = getenv("TMPDIR");
  return folder != nullptr && *folder == '/' ? folder : "/tmp";
}

// Locked by us, and still there; not valid when somebody else holds it or took it away.
UniqueFd Lock(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat about = {};
  if (!fd.valid() || flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || fstat(fd.get(), &about) != 0 ||
      about.st_uid != geteuid() || about.st_nlink == 0) {
    fd.Reset();
  }
  return fd;
}

bool RemoveAbandoned(const std::string& parent) {
  std::error_code error;
  for (fs::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!absl::StartsWith(name, kPrefix) || name.size() != kPrefix.size() + kRandom.size())
      continue;
    const UniqueFd lock = Lock(entry->path().string());
    std::error_code ignored;  // the next server tries again
    if (lock.valid()) fs::remove_all(entry->path(), ignored);
  }
  return true;
}

}  // namespace

absl::StatusOr<ScratchFolder> ScratchFolder::Create() {
  const std::string parent = Parent();
  [[maybe_unused]] static const bool once = RemoveAbandoned(parent);
  for (int i = 0; i < kTries; ++i) {
    std::string path = absl::StrCat(parent, "/", kPrefix, kRandom);
    if (mkdtemp(path.data()) == nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot make a folder in ", parent, ": ", strerror(errno)));
    }
    // Another server may be cleaning up just then.
    if (UniqueFd lock = Lock(path); lock.valid()) return ScratchFolder(path, std::move(lock));
  }
  return absl::FailedPreconditionError(absl::StrCat("cannot lock a new folder in ", parent));
}

ScratchFolder& ScratchFolder::operator=(ScratchFolder&& other) noexcept {
  if (this != &other) {
    Remove();
    path_ = std::exchange(other.path_, "");
    lock_ = std::move(other.lock_);
  }
  return *this;
}

void ScratchFolder::Remove() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  path_.clear();
}

}  // namespace tidemark
