// What /proc says about processes, so that a test can prove that none is left behind.
#ifndef TIDEMARK_TESTS_SOURCE_PROC_SCAN_H_
#define TIDEMARK_TESTS_SOURCE_PROC_SCAN_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace tidemark {

// Children of this process, the dead that were not waited for included.
std::vector<pid_t> OwnChildren();
// Living processes of a session (a connector's process leads one).
std::vector<pid_t> SessionMembers(pid_t session);
// Open descriptors of this process.
size_t OpenDescriptors();
// Threads of this process with that name.
size_t ThreadsNamed(const std::string& name);

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_SOURCE_PROC_SCAN_H_
