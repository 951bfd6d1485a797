// Landlock (landlock(7)) by its system calls: which files a process may open, for good.
#ifndef TIDEMARK_PLUGIN_HOST_LANDLOCK_RULES_H_
#define TIDEMARK_PLUGIN_HOST_LANDLOCK_RULES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tidemark {

// Thread-compatible. Everything that no rule allows is denied: opening, making, removing and
// truncating files, running programs, TCP in both directions, and, where the kernel knows it,
// signals to other processes and sockets without a file.
class LandlockRules {
 public:
  enum class Use { kRead, kWrite };  // kWrite: reading, making and removing too

  // The version of the kernel's interface; 0: it has none. From 3 on files are confined wholly.
  static int KernelVersion();

  // `network`: outgoing TCP stays free. FAILED_PRECONDITION when the kernel refuses.
  static absl::StatusOr<LandlockRules> Create(bool network);
  LandlockRules(LandlockRules&& other) noexcept;
  LandlockRules& operator=(LandlockRules&&) = delete;
  ~LandlockRules();

  // A file, or a folder with everything below, symbolic links of the path itself followed. OK, and
  // no rule, when it does not exist or cannot be reached anyway.
  absl::Status Allow(const std::string& path, Use use);

  // Binds the calling thread and the threads it starts from now on, and no thread that runs
  // already. REQUIRES: PR_SET_NO_NEW_PRIVS is set.
  absl::Status RestrictSelf();

 private:
  LandlockRules(int fd, int version) : fd_(fd), version_(version) {}

  int fd_;
  const int version_;
};

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_LANDLOCK_RULES_H_
