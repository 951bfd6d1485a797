// Which versions the live manifests of a FileStateStore hold, in the memory of its holder: what
// retention drops, and which manifests then still count.
#ifndef TIDEMARK_STATE_MANIFEST_HISTORY_H_
#define TIDEMARK_STATE_MANIFEST_HISTORY_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "state/file_manifest.h"
#include "state/manifest_folder.h"
#include "state/state_version.h"

namespace tidemark {

// True for a version of commit `commit` that is part of history by what `newest` says: not dropped
// by retention, not set aside.
bool CountsInHistory(const StateVersion& version, int64_t commit, const FileManifest& newest);

// Copyable. Thread-compatible.
class ManifestHistory {
 public:
  // Reads every live manifest. DATA_LOSS: one was not written after the one before it, unless
  // `repairs`, which takes what is there.
  static absl::StatusOr<ManifestHistory> Load(ManifestFolder& folder, const FileManifest& newest,
                                              bool repairs);

  void Add(const StateVersion& version, int64_t commit);
  // Takes versions of an entry out; their manifests stay for good.
  void SetAside(const std::string& entry, absl::Span<const int64_t> versions);
  // Keeps a manifest for what it holds beside versions.
  void Pin(int64_t commit) { pinned_.insert(commit); }
  // Drops the oldest versions of an entry beyond `retention`, never one inside `horizon`, and sets
  // oldest and anchor of it in `next`.
  void Retain(const std::string& entry, const HistoryRetention& retention,
              const RollbackHorizon& horizon, FileManifest::Entry* next);
  // Sets oldest and anchor to what is really there: older manifests may be gone.
  void BeginWithWhatIsThere(const std::string& entry, FileManifest::Entry* next) const;
  // The manifests that count beside `commit`, the next one.
  std::set<int64_t> Live(int64_t commit) const;

 private:
  struct Piece {
    int64_t commit = 0;
    int64_t version = 0;
    int64_t bytes = 0;
    std::string prev_chain;
    std::string chain;
  };

  void AddAll(const FileManifest& manifest, int64_t commit, const FileManifest& newest);

  std::map<std::string, std::vector<Piece>> pieces_;  // by entry, ascending
  std::set<int64_t> pinned_;
};

}  // namespace tidemark

#endif  // TIDEMARK_STATE_MANIFEST_HISTORY_H_
