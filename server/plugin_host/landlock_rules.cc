#include "plugin_host/landlock_rules.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

// linux/landlock.h of Debian 12 ends with kRefer. The numbers are the kernel's and never change.
constexpr uint64_t kWriteFile = 1u << 1;
constexpr uint64_t kReadFile = 1u << 2;
constexpr uint64_t kReadDir = 1u << 3;
constexpr uint64_t kRemoveDir = 1u << 4;
constexpr uint64_t kRemoveFile = 1u << 5;
constexpr uint64_t kMakeDir = 1u << 7;
constexpr uint64_t kMakeFile = 1u << 8;
constexpr uint64_t kRefer = 1u << 13;     // version 2: a file moves to another folder
constexpr uint64_t kTruncate = 1u << 14;  // version 3
constexpr int kFsBitsOfVersion[] = {0, 13, 14, 15, 15, 16};  // 5: ioctl of devices

constexpr uint64_t kBindTcp = 1u << 0;  // version 4
constexpr uint64_t kConnectTcp = 1u << 1;
constexpr uint64_t kScopeAbstractSockets = 1u << 0;  // version 6
constexpr uint64_t kScopeSignals = 1u << 1;

constexpr uint32_t kVersionFlag = 1;  // landlock_create_ruleset
constexpr int kPathBeneath = 1;       // landlock_add_rule

struct RulesetAttributes {
  uint64_t handled_fs = 0;
  uint64_t handled_net = 0;
  uint64_t scoped = 0;
};
struct PathAttributes {
  uint64_t allowed = 0;
  int32_t parent_fd = -1;
} __attribute__((packed));

uint64_t FsBits(int version) {
  constexpr int known = static_cast<int>(std::size(kFsBitsOfVersion)) - 1;
  return (uint64_t{1} << kFsBitsOfVersion[version < known ? version : known]) - 1;
}

absl::Status Refused(absl::string_view call, int error) {
  return absl::FailedPreconditionError(absl::StrCat("landlock: ", call, ": ", strerror(error)));
}

}  // namespace

int LandlockRules::KernelVersion() {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersionFlag);
  return version < 0 ? 0 : static_cast<int>(version);
}

absl::StatusOr<LandlockRules> LandlockRules::Create(bool network) {
  const int version = KernelVersion();
  RulesetAttributes attributes;
  attributes.handled_fs = FsBits(version);
  size_t size = sizeof(attributes.handled_fs);
  if (version >= 4) {
    attributes.handled_net = network ? kBindTcp : kBindTcp | kConnectTcp;
    size += sizeof(attributes.handled_net);
  }
  if (version >= 6) {
    attributes.scoped = kScopeAbstractSockets | kScopeSignals;
    size += sizeof(attributes.scoped);
  }
  const long fd = syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
  if (fd < 0) return Refused("create_ruleset", errno);
  return LandlockRules(static_cast<int>(fd), version);
}

LandlockRules::LandlockRules(LandlockRules&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), version_(other.version_) {}

LandlockRules::~LandlockRules() {
  if (fd_ >= 0) close(fd_);
}

absl::Status LandlockRules::Allow(const std::string& path, Use use) {
  const int fd = open(path.c_str(), O_PATH | O_CLOEXEC);
  if (fd < 0) {
    const bool nothing = errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP;
    return nothing ? absl::OkStatus() : Refused(path, errno);
  }
  PathAttributes rule;
  rule.parent_fd = fd;
  rule.allowed = kReadFile | kReadDir;
  if (use == Use::kWrite) {
    rule.allowed |=
        kWriteFile | kTruncate | kMakeFile | kMakeDir | kRemoveFile | kRemoveDir | kRefer;
  }
  struct stat about = {};
  // The kernel refuses rights of folders for a file.
  if (fstat(fd, &about) == 0 && !S_ISDIR(about.st_mode)) {
    rule.allowed &= kReadFile | kWriteFile | kTruncate;
  }
  rule.allowed &= FsBits(version_);
  const long added = syscall(SYS_landlock_add_rule, fd_, kPathBeneath, &rule, 0);
  const int error = errno;
  close(fd);
  return added == 0 ? absl::OkStatus() : Refused(path, error);
}

absl::Status LandlockRules::RestrictSelf() {
  if (syscall(SYS_landlock_restrict_self, fd_, 0) != 0) return Refused("restrict_self", errno);
  return absl::OkStatus();
}

}  // namespace tidemark
