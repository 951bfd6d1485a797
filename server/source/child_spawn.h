// Starting a connector's process: posix_spawn, its own session, and exactly five descriptors.
#ifndef TIDEMARK_SOURCE_CHILD_SPAWN_H_
#define TIDEMARK_SOURCE_CHILD_SPAWN_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "source/unique_fd.h"

namespace tidemark {

// Our ends. The child has: 0 /dev/null, 1 and 2 the pipe of `stderr_pipe`, 3 the other end of
// `socket`, 4 the reading end of `lifeline` (end of file there: its server is gone).
struct SpawnedChild {
  pid_t pid = -1;        // leader of its own session and group
  UniqueFd pid_fd;       // readable once it has ended
  UniqueFd socket;       // non-blocking stream
  UniqueFd lifeline;     // writing end
  UniqueFd stderr_pipe;  // non-blocking reading end
};

inline constexpr int kChildSocketFd = 3;
inline constexpr int kChildLifelineFd = 4;

// `arguments` begins with the program's path, `environment` is "NAME=value" each. NOT_FOUND when
// there is no such program, FAILED_PRECONDITION when the system refuses to start it.
absl::StatusOr<SpawnedChild> SpawnChild(const std::vector<std::string>& arguments,
                                        const std::vector<std::string>& environment);

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_CHILD_SPAWN_H_
