#include "plugin_host/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "plugin_host/landlock_rules.h"
#include "plugin_host/seccomp_filter.h"

// GCC's first: a library's header may define __has_feature for it, as never true.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TIDEMARK_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TIDEMARK_SANITIZED 1
#endif
#endif

namespace tidemark {
namespace {

// Beyond the resident memory that the starter allows, and looks at every 100 ms: what is mapped and
// never touched (8 MiB for the stack of each thread), and what a plugin can touch between two
// looks, so that its end is that limit, which says so, and not an allocation that fails anywhere.
// Addresses are many more: glibc alone reserves 64 MiB for the heap of each of the first threads.
constexpr uint64_t kIdleMemory = uint64_t{1} << 30;
constexpr uint64_t kIdleAddresses = uint64_t{8} << 30;

// What programs read without asking anybody. Nothing here is secret or belongs to a user.
constexpr const char* kSystemPaths[] = {
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
    // Time zones and languages.
    "/etc/localtime", "/usr/share/zoneinfo", "/usr/share/locale",
    // How many processors there are; OpenSSL's settings; random bytes.
    "/sys/devices/system/cpu", "/etc/ssl/openssl.cnf", "/dev/urandom", "/dev/random", "/dev/zero"};

// Names and certificates. /etc/ssl/private is none of them.
constexpr const char* kNetworkPaths[] = {"/etc/resolv.conf",
                                         "/etc/hosts",
                                         "/etc/host.conf",
                                         "/etc/nsswitch.conf",
                                         "/etc/gai.conf",
                                         "/etc/services",
                                         "/etc/protocols",
                                         "/etc/ssl/certs",
                                         "/etc/ssl/cert.pem",
                                         "/etc/pki/tls/certs",
                                         "/usr/share/ca-certificates",
                                         "/usr/local/share/ca-certificates"};

// Files and folders that whoever started the server named for all its programs.
constexpr const char* kPathVariables[] = {"LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
                                          "CURL_CA_BUNDLE", "TZDIR"};

absl::Status Refused(absl::string_view what, int error) {
  return absl::FailedPreconditionError(absl::StrCat(what, ": ", strerror(error)));
}

absl::Status Limit(decltype(RLIMIT_AS) resource, const char* name, uint64_t amount) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0) return Refused(name, errno);
  if (limit.rlim_max > amount) limit.rlim_max = amount;  // never up
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(resource, &limit) == 0 ? absl::OkStatus() : Refused(name, errno);
}

// RLIMIT_NPROC counts all processes of a user, not those of this one, and not root's: the starter
// counts the threads, and seccomp allows no process.
absl::Status SetLimits(const SandboxPolicy& policy) {
  absl::Status status = Limit(RLIMIT_CORE, "RLIMIT_CORE", 0);
  if (status.ok()) status = Limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", policy.open_files);
#ifndef TIDEMARK_SANITIZED  // they reserve terabytes of addresses
  if (status.ok()) status = Limit(RLIMIT_DATA, "RLIMIT_DATA", policy.memory_bytes + kIdleMemory);
  if (status.ok()) status = Limit(RLIMIT_AS, "RLIMIT_AS", policy.memory_bytes + kIdleAddresses);
#endif
  return status;
}

// Of root's powers one stays: the files that the policy allows may be somebody else's.
absl::Status DropCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  if (syscall(SYS_capget, &header, sets.data()) != 0) return Refused("capget", errno);
  const uint32_t kept = sets[0].permitted & (1u << CAP_DAC_OVERRIDE);
  sets = {};
  sets[0].permitted = kept;
  sets[0].effective = kept;
  if (syscall(SYS_capset, &header, sets.data()) != 0) return Refused("capset", errno);
  return absl::OkStatus();
}

absl::Status AllowAll(absl::Span<const char* const> paths, LandlockRules* rules) {
  for (const char* path : paths) {
    if (absl::Status s = rules->Allow(path, LandlockRules::Use::kRead); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status AllowVariables(LandlockRules* rules) {
  for (const char* name : kPathVariables) {
    const char* const value = getenv(name);
    if (value == nullptr) continue;
    for (const absl::string_view path : absl::StrSplit(value, ':', absl::SkipEmpty())) {
      absl::Status s = rules->Allow(std::string(path), LandlockRules::Use::kRead);
      if (!s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

absl::Status ConfineFiles(const SandboxPolicy& policy, const std::string& plugin_path) {
  if (LandlockRules::KernelVersion() == 0) return absl::OkStatus();  // SandboxGaps() says so
  absl::StatusOr<LandlockRules> rules = LandlockRules::Create(policy.network);
  if (!rules.ok()) return rules.status();
  absl::Status status = AllowAll(kSystemPaths, &*rules);
  if (status.ok() && policy.network) status = AllowAll(kNetworkPaths, &*rules);
  if (status.ok()) status = AllowVariables(&*rules);
  if (status.ok()) status = rules->Allow("/dev/null", LandlockRules::Use::kWrite);
  if (status.ok()) status = rules->Allow(plugin_path, LandlockRules::Use::kRead);
  for (const std::string& path : policy.read_paths) {
    if (status.ok()) status = rules->Allow(path, LandlockRules::Use::kRead);
  }
  for (const std::string& path : policy.write_paths) {
    if (status.ok()) status = rules->Allow(path, LandlockRules::Use::kWrite);
  }
  if (status.ok() && !policy.scratch.empty()) {
    status = rules->Allow(policy.scratch, LandlockRules::Use::kWrite);
  }
  return status.ok() ? rules->RestrictSelf() : status;
}

}  // namespace

std::vector<std::string> SandboxGaps() {
  std::vector<std::string> gaps;
  const int version = LandlockRules::KernelVersion();
  if (version == 0) {
    gaps.emplace_back("the kernel has no landlock: a plugin may open every file this server may");
  } else if (version < 3) {
    gaps.emplace_back(absl::StrCat("the kernel's landlock is version ", version,
                                   ", 3 is needed: a plugin may empty files that it may not open"));
  }
  if (!KernelHasSeccomp()) {
    gaps.emplace_back("the kernel has no seccomp: a plugin may start programs and use the network");
  }
  return gaps;
}

// Invariant: everything stands before the plugin's first instruction, which is a constructor that
// runs inside of dlopen(), and before the first thread.
absl::Status EnterSandbox(const SandboxPolicy& policy, const std::string& plugin_path) {
  if (absl::Status s = SetLimits(policy); !s.ok()) return s;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Refused("PR_SET_NO_NEW_PRIVS", errno);
  // Nobody else of this user may look into the process, either: it holds a connection's secrets.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return Refused("PR_SET_DUMPABLE", errno);
  if (absl::Status s = DropCapabilities(); !s.ok()) return s;
  if (absl::Status s = ConfineFiles(policy, plugin_path); !s.ok()) return s;
  return KernelHasSeccomp() ? DenySystemCalls(policy.network) : absl::OkStatus();
}

}  // namespace tidemark
