#include "state/manifest_history.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

bool IsAside(const StateVersion& version, int64_t commit, const FileManifest& newest) {
  return std::any_of(newest.asides.begin(), newest.asides.end(),
                     [&](const FileManifest::Aside& aside) {
                       return aside.entry == version.entry && aside.version == version.version &&
                              commit <= aside.until;
                     });
}

}  // namespace

bool CountsInHistory(const StateVersion& version, int64_t commit, const FileManifest& newest) {
  const auto entry = newest.entries.find(version.entry);
  return entry != newest.entries.end() && version.version >= entry->second.oldest &&
         !IsAside(version, commit, newest);
}

absl::StatusOr<ManifestHistory> ManifestHistory::Load(ManifestFolder& folder,
                                                      const FileManifest& newest, bool repairs) {
  ManifestHistory history;
  int64_t last_commit = 0;
  std::string last_hash;
  for (const int64_t commit : newest.live) {
    absl::StatusOr<FileManifest> manifest = folder.ReadWhatIsThere(commit);
    if (absl::IsNotFound(manifest.status())) continue;
    if (!manifest.ok()) return manifest.status();
    if (manifest->commit == 0) {
      history.Pin(commit);  // a damaged one is never deleted: not all of it is known
    } else if (last_commit == commit - 1 && !manifest->previous.empty() &&
               manifest->previous != last_hash && !repairs) {
      return absl::DataLossError(absl::StrCat(
          folder.path(), ": manifest ", commit, " was not written after the manifest ", last_commit,
          " that stands there; nothing was changed: restore a backup, or rebuild the ",
          "state with `tidemark state repair`"));
    }
    last_commit = manifest->commit;
    last_hash = manifest->hash;
    history.AddAll(*manifest, commit, newest);
  }
  return history;
}

void ManifestHistory::AddAll(const FileManifest& manifest, int64_t commit,
                             const FileManifest& newest) {
  if (!manifest.audit.empty()) Pin(commit);
  for (const StateVersion& version : manifest.versions) {
    if (IsAside(version, commit, newest)) Pin(commit);
    if (CountsInHistory(version, commit, newest)) Add(version, commit);
  }
}

void ManifestHistory::Add(const StateVersion& version, int64_t commit) {
  pieces_[version.entry].push_back({commit, version.version,
                                    static_cast<int64_t>(version.body.size()), version.prev_chain,
                                    version.chain});
}

void ManifestHistory::SetAside(const std::string& entry, absl::Span<const int64_t> versions) {
  std::vector<Piece>& pieces = pieces_[entry];
  const auto gone = std::remove_if(pieces.begin(), pieces.end(), [&](const Piece& piece) {
    const bool aside = std::find(versions.begin(), versions.end(), piece.version) != versions.end();
    if (aside) Pin(piece.commit);
    return aside;
  });
  pieces.erase(gone, pieces.end());
}

void ManifestHistory::Retain(const std::string& entry, const HistoryRetention& retention,
                             const RollbackHorizon& horizon, FileManifest::Entry* next) {
  std::vector<Piece>& pieces = pieces_[entry];
  int64_t bytes = 0;
  for (const Piece& piece : pieces) bytes += piece.bytes;
  size_t dropped = 0;
  // What the rollback horizon may still need stays, however large.
  while (true) {
    const int64_t left = static_cast<int64_t>(pieces.size() - dropped);
    if (left - 1 <= horizon.newer_versions ||
        (left <= retention.versions && bytes <= retention.bytes)) {
      break;
    }
    bytes -= pieces[dropped].bytes;
    next->head.anchor = pieces[dropped++].chain;
  }
  pieces.erase(pieces.begin(), pieces.begin() + static_cast<ptrdiff_t>(dropped));
  if (!pieces.empty()) next->oldest = pieces.front().version;
}

void ManifestHistory::BeginWithWhatIsThere(const std::string& entry,
                                           FileManifest::Entry* next) const {
  const auto found = pieces_.find(entry);
  if (found == pieces_.end() || found->second.empty()) return;
  const Piece& first = found->second.front();
  if (first.version == next->oldest) return;
  next->oldest = first.version;
  next->head.anchor = first.prev_chain;
}

std::set<int64_t> ManifestHistory::Live(int64_t commit) const {
  std::set<int64_t> live = pinned_;
  live.insert(commit);
  for (const auto& [name, pieces] : pieces_) {
    for (const Piece& piece : pieces) live.insert(piece.commit);
  }
  return live;
}

}  // namespace tidemark
