// What this program and the plugins it started use of the machine, from /proc.
#ifndef TIDEMARK_WEB_RESOURCE_USE_H_
#define TIDEMARK_WEB_RESOURCE_USE_H_

#include <cstdint>
#include <optional>

namespace tidemark {

// A number that cannot be read is missing.
struct ResourceUse {
  std::optional<uint64_t> resident_bytes;
  std::optional<double> cpu_seconds;  // user and system
  std::optional<double> started_unix_seconds;
  std::optional<uint64_t> open_files;
  std::optional<uint64_t> max_open_files;
  std::optional<uint64_t> plugins;                // children
  std::optional<uint64_t> plugin_resident_bytes;  // of all of them
};

ResourceUse ReadResourceUse();

}  // namespace tidemark

#endif  // TIDEMARK_WEB_RESOURCE_USE_H_
