// The folder of one connection's manifests: reads them, and adds one so that of two writers only
// one can (state/file_manifest.h, state/file_state_store.cc).
#ifndef TIDEMARK_STATE_MANIFEST_FOLDER_H_
#define TIDEMARK_STATE_MANIFEST_FOLDER_H_

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/file_system.h"
#include "state/file_manifest.h"

namespace tidemark {

// Confined to one thread; `files` is borrowed. Every error names the file.
class ManifestFolder {
 public:
  ManifestFolder(FileSystem& files, std::string path, std::string connection)
      : files_(files), path_(std::move(path)), connection_(std::move(connection)) {}

  const std::string& path() const { return path_; }

  // Numbers of the manifests, ascending. NOT_FOUND: there is no folder, or none in it. UNAVAILABLE:
  // whether the last Add reached the disk is still not known.
  absl::StatusOr<std::vector<int64_t>> Commits();
  // DATA_LOSS: torn, damaged, or of another connection.
  absl::StatusOr<FileManifest> Read(int64_t commit);
  // The one with the largest number.
  absl::StatusOr<FileManifest> ReadNewest();
  // As Read, but of a damaged one what can be read (no commit number then). NOT_FOUND: it is gone.
  absl::StatusOr<FileManifest> ReadWhatIsThere(int64_t commit);

  // Makes the manifest durable under its number and sets its hash. ALREADY_EXISTS: another writer
  // has that number, or has gone beyond it. ABORTED: it stands there, but may not have reached the
  // disk. Else nothing was written.
  absl::Status Add(FileManifest* manifest);
  // Gives a damaged manifest another name, under which nobody reads it.
  absl::Status PutAside(int64_t commit);
  // Removes manifests below `newest` that do not count any more, and what a crash left behind when
  // `leftovers`. What cannot be removed stays for the next time.
  void Sweep(const std::set<int64_t>& live, int64_t newest, bool leftovers);

 private:
  std::string FileOf(int64_t commit) const { return path_ + "/" + ManifestName(commit); }

  FileSystem& files_;
  const std::string path_;
  const std::string connection_;
  bool unsynced_ = false;  // the folder's last SyncFolder failed
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_MANIFEST_FOLDER_H_
