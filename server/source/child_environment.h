// What a sandboxed plugin sees of the server's environment.
#ifndef TIDEMARK_SOURCE_CHILD_ENVIRONMENT_H_
#define TIDEMARK_SOURCE_CHILD_ENVIRONMENT_H_

#include <string>
#include <vector>

#include "core/sandbox_policy.h"

namespace tidemark {

// "NAME=value" each, from the environment of this process. Secrets of a server often stand in its
// environment, so a sandboxed child gets the few names below and nothing else: language, time zone,
// certificates and (with network) proxies, where shared libraries are, what tests and debuggers
// set, and TMPDIR for its scratch folder. Without a sandbox: everything.
std::vector<std::string> ChildEnvironment(const SandboxPolicy& policy);

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_CHILD_ENVIRONMENT_H_
