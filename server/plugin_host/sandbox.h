// Locks this process in before it loads a plugin.
#ifndef TIDEMARK_PLUGIN_HOST_SANDBOX_H_
#define TIDEMARK_PLUGIN_HOST_SANDBOX_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/sandbox_policy.h"

namespace tidemark {

// What of a sandbox this kernel lacks and EnterSandbox leaves out, each in words for a user. Empty:
// nothing. The same for every process of a machine.
std::vector<std::string> SandboxGaps();

// Binds this process for good: limits of memory and descriptors, no core file, no new privileges,
// no capabilities beyond reading and writing files of others, files by landlock, system calls by
// seccomp. `plugin_path` and the libraries of the system stay readable. FAILED_PRECONDITION names
// what the kernel refused; the process must not load the plugin then.
// REQUIRES: policy.enabled, and that no second thread runs: landlock would not bind it.
absl::Status EnterSandbox(const SandboxPolicy& policy, const std::string& plugin_path);

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_SANDBOX_H_
