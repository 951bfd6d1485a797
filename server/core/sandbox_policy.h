// What a plugin's process may do, and the form in which its starter hands that over.
#ifndef TIDEMARK_CORE_SANDBOX_POLICY_H_
#define TIDEMARK_CORE_SANDBOX_POLICY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace tidemark {

// The default is the tightest: no network, no file beyond what every program needs to run. Paths
// are absolute and hold no secrets: whoever may list processes sees them.
struct SandboxPolicy {
  bool enabled = true;   // false: the process may do what its starter may
  bool network = false;  // outgoing connections; never a listening socket
  // Files, or folders with everything below. What does not exist when the process starts is left
  // out; a file that is replaced later is another file.
  std::vector<std::string> read_paths = {};
  std::vector<std::string> write_paths = {};  // read, too
  std::string scratch = {};                   // a folder of its own; empty: none
  uint64_t memory_bytes = uint64_t{1} << 30;  // resident; the starter watches it
  uint32_t open_files = 256;                  // at once
  uint32_t threads = 256;                     // at once; the starter watches them
  // What the plugin said it needs when it was described. A plugin that says something else now is
  // not the one this policy was made for.
  std::optional<uint64_t> capabilities = {};

  friend bool operator==(const SandboxPolicy&, const SandboxPolicy&) = default;
};

// The policy as arguments of tidemark-plugin-host, without `threads`, and back. INVALID_ARGUMENT
// names an argument that is none.
std::vector<std::string> SandboxArguments(const SandboxPolicy& policy);
absl::StatusOr<SandboxPolicy> ParseSandboxArguments(absl::Span<const std::string> arguments);

}  // namespace tidemark

#endif  // TIDEMARK_CORE_SANDBOX_POLICY_H_
