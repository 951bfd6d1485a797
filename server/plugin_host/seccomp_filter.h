// The system calls that a plugin's process has no business with.
#ifndef TIDEMARK_PLUGIN_HOST_SECCOMP_FILTER_H_
#define TIDEMARK_PLUGIN_HOST_SECCOMP_FILTER_H_

#include "absl/status/status.h"

namespace tidemark {

bool KernelHasSeccomp();

// Binds every thread of this process, for good: what is denied answers EPERM and harms nobody (but
// clone3, whose flags a filter cannot read, is "unknown", and glibc falls back to clone). Denied
// are other programs and processes (exec, fork, ptrace, signals to others), changes of the system
// (mounts, clocks, modules, namespaces, keys), kernel interfaces that are large or hard to confine
// (bpf, io_uring, userfaultfd, perf), memory and messages that outlive the process, what
// landlock does not look at (modes, owners, times and attributes of files), and all sockets but
// pairs; with `network`, connections over IP stay possible, and listening does not.
// FAILED_PRECONDITION when the kernel refuses. REQUIRES: PR_SET_NO_NEW_PRIVS is set.
absl::Status DenySystemCalls(bool network);

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_SECCOMP_FILTER_H_
