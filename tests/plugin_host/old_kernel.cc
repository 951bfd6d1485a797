// old_kernel_PART PROGRAM ARGUMENT...: runs a program on a kernel that lacks PART of what a sandbox
// is made of, or refuses it. With a plugin (*.so) in PROGRAM's place it is tidemark-plugin-host.
#include <seccomp.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  const std::string part = TIDEMARK_PART;
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  int error = 0;
  if (part == "landlock") {
    error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
  } else if (part == "seccomp") {
    error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0);
  } else {  // refusing
    error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(landlock_restrict_self), 0);
  }
  if (argc < 2 || error != 0 || seccomp_load(filter) != 0) {
    fputs("old_kernel: cannot\n", stderr);
    return 1;
  }
  seccomp_release(filter);
  std::vector<char*> arguments(argv + 1, argv + argc);
  arguments.push_back(nullptr);
  std::string host = TIDEMARK_PLUGIN_HOST;
  const std::string first = argv[1];
  if (first.size() > 3 && first.substr(first.size() - 3) == ".so") {
    arguments.insert(arguments.begin(), host.data());
  }
  execv(arguments[0], arguments.data());
  perror("old_kernel: execv");
  return 1;
}
