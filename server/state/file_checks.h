// What can be known about a database file before SQLite touches it.
#ifndef TIDEMARK_STATE_FILE_CHECKS_H_
#define TIDEMARK_STATE_FILE_CHECKS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"

namespace tidemark {

// f_type of statfs(2) for a path; nullopt: not known.
using FilesystemType = std::function<std::optional<int64_t>(const std::string& path)>;
std::optional<int64_t> FilesystemTypeOf(const std::string& path);

// FAILED_PRECONDITION when the folder of `path` lies on a network filesystem, where neither the
// WAL's shared memory nor locks can be trusted.
absl::Status CheckLocalFilesystem(const std::string& path,
                                  const FilesystemType& type = FilesystemTypeOf);

// NOT_FOUND: the folder does not exist. PERMISSION_DENIED: file or folder is read-only; a mode
// without any write bit counts as read-only also for root.
absl::Status CheckWritable(const std::string& path);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_FILE_CHECKS_H_
