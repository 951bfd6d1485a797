// A temporary folder of one plugin's process.
#ifndef TIDEMARK_SOURCE_SCRATCH_FOLDER_H_
#define TIDEMARK_SOURCE_SCRATCH_FOLDER_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "source/unique_fd.h"

namespace tidemark {

// Thread-compatible. Removed with everything in it by the destructor. What a server that was killed
// left behind, the first folder of a later one removes: as long as its owner lives, it is locked.
class ScratchFolder {
 public:
  ScratchFolder() = default;  // none
  // Mode 0700, in TMPDIR, else in /tmp. FAILED_PRECONDITION when none can be made.
  static absl::StatusOr<ScratchFolder> Create();
  ScratchFolder(ScratchFolder&& other) noexcept
      : path_(std::exchange(other.path_, "")), lock_(std::move(other.lock_)) {}
  ScratchFolder& operator=(ScratchFolder&& other) noexcept;
  ~ScratchFolder() { Remove(); }

  const std::string& path() const { return path_; }  // absolute; empty: none

 private:
  ScratchFolder(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  void Remove();

  std::string path_;
  UniqueFd lock_;
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_SCRATCH_FOLDER_H_
