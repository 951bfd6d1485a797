#include "state/manifest_folder.h"

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "core/failpoint.h"
#include "core/status_context.h"

namespace tidemark {
namespace {

constexpr char kTemporary[] = ".tmp";
constexpr int kAttempts = 10;

}  // namespace

absl::StatusOr<std::vector<int64_t>> ManifestFolder::Commits() {
  if (unsynced_) {
    if (absl::Status s = files_.SyncFolder(path_); !s.ok()) return s;
    unsynced_ = false;
  }
  absl::StatusOr<std::vector<std::string>> names = files_.List(path_);
  if (!names.ok()) return names.status();
  std::vector<int64_t> commits;  // names of equal length sort as their numbers do
  for (const std::string& name : *names) {
    const std::optional<int64_t> commit = ParseManifestName(name);
    if (commit.has_value()) commits.push_back(*commit);
  }
  if (commits.empty()) return absl::NotFoundError(absl::StrCat(path_, " holds no manifest"));
  return commits;
}

absl::StatusOr<FileManifest> ManifestFolder::Read(int64_t commit) {
  absl::StatusOr<std::string> bytes = files_.Read(FileOf(commit));
  if (!bytes.ok()) return bytes.status();
  absl::StatusOr<FileManifest> manifest = ParseManifest(*bytes);
  if (!manifest.ok()) return WithContext(FileOf(commit), manifest.status());
  if (manifest->connection != connection_ || manifest->commit != commit) {
    return absl::DataLossError(
        absl::StrCat(FileOf(commit), ": the manifest is damaged: it says that it is commit ",
                     manifest->commit, " of connection \"", manifest->connection, "\""));
  }
  manifest->hash = Blake2b256(*bytes);
  return manifest;
}

absl::StatusOr<FileManifest> ManifestFolder::ReadNewest() {
  absl::StatusOr<FileManifest> newest = absl::NotFoundError(path_);
  // Between both calls a writer may have added others and removed this one.
  for (int attempt = 0; attempt < kAttempts && absl::IsNotFound(newest.status()); ++attempt) {
    absl::StatusOr<std::vector<int64_t>> commits = Commits();
    if (!commits.ok()) return commits.status();
    newest = Read(commits->back());
  }
  return newest;
}

absl::StatusOr<FileManifest> ManifestFolder::ReadWhatIsThere(int64_t commit) {
  absl::StatusOr<FileManifest> manifest = Read(commit);
  if (!absl::IsDataLoss(manifest.status())) return manifest;
  absl::StatusOr<std::string> bytes = files_.Read(FileOf(commit));
  if (!bytes.ok()) return bytes.status();
  return SalvageManifest(*bytes, connection_);
}

absl::Status ManifestFolder::Add(FileManifest* manifest) {
  const std::string file = FileOf(manifest->commit);
  const std::string bytes = FormatManifest(*manifest);
  manifest->hash = Blake2b256(bytes);
  const std::string temporary = absl::StrCat(file, ".", RandomHex(8), kTemporary);
  absl::Status status = files_.WriteNew(temporary, bytes);
  if (status.ok()) status = Failpoint("store.file_sync");
  if (status.ok()) status = files_.SyncFile(temporary);
  // Invariant I3: the name can be taken only once, so a writer that was overtaken fails here.
  if (status.ok()) status = Failpoint("store.file_rename");
  if (status.ok()) status = files_.RenameNew(temporary, file);
  PassFailpoint("store.file_renamed");
  if (!status.ok()) {
    files_.Remove(temporary).IgnoreError();
    return status;
  }
  unsynced_ = true;
  if (absl::Status s = files_.SyncFolder(path_); !s.ok()) {
    return absl::AbortedError(
        absl::StrCat("whether ", file, " reached the disk is not known: ", s.message()));
  }
  unsynced_ = false;
  // A writer that was stopped before the rename may have found its number free again, because
  // others have gone far beyond it and swept it away. What it wrote counts for nobody, and goes
  // with the next sweep.
  absl::StatusOr<FileManifest> newest = ReadNewest();
  if (!newest.ok() || newest->live.count(manifest->commit) != 0) return absl::OkStatus();
  return absl::AlreadyExistsError(absl::StrCat(path_, " is already at commit ", newest->commit));
}

absl::Status ManifestFolder::PutAside(int64_t commit) {
  const std::string file = FileOf(commit);
  absl::Status status = files_.RenameNew(file, absl::StrCat(file, ".damaged"));
  return status.ok() ? files_.SyncFolder(path_) : status;
}

void ManifestFolder::Sweep(const std::set<int64_t>& live, int64_t newest, bool leftovers) {
  absl::StatusOr<std::vector<std::string>> names = files_.List(path_);
  if (!names.ok()) return;
  for (const std::string& name : *names) {
    const std::optional<int64_t> commit = ParseManifestName(name);
    const bool dead = commit.has_value() && *commit < newest && live.count(*commit) == 0;
    if (dead || (leftovers && absl::EndsWith(name, kTemporary))) {
      files_.Remove(absl::StrCat(path_, "/", name)).IgnoreError();
    }
  }
}

}  // namespace tidemark
