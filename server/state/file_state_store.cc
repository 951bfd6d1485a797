// The folder of a connection holds
//
//   00000000000000000042.manifest          ; one per commit (state/file_manifest.cc)
//   00000000000000000042.manifest.damaged  ; put aside by a repair, read by nobody
//   00000000000000000043.manifest.HEX.tmp  ; being written, or left behind by a crash
//   released                               ; the last epoch that was given back, as a number
//
// and beside it lies the lock file (state/connection_lock.h). A commit writes the temporary file,
// makes it durable, renames it to a number that must be free, and makes the folder durable; then it
// counts. The newest manifest says what the store holds: the heads, and which older manifests still
// count ("live"). Taking the connection is a commit of its own with the next epoch, so a holder
// that was overtaken finds its number taken. What is no longer live is swept after the commit.
#include "state/file_state_store.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/digest.h"
#include "core/status_context.h"
#include "core/time_text.h"
#include "state/append_check.h"
#include "state/connection_lock.h"
#include "state/manifest_folder.h"
#include "state/manifest_history.h"

namespace tidemark {
namespace {

constexpr int kAttempts = 10;

// A name that no folder may have is replaced by its hash.
std::string FolderName(const std::string& connection) {
  bool plain = !connection.empty() && connection.size() <= 64;
  for (char c : connection) {
    plain = plain && (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-');
  }
  return plain ? connection : absl::StrCat("~", Hex(Blake2b256(connection)).substr(0, 32));
}

class FileStateStore final : public StateStore {
 public:
  FileStateStore(const std::string& folder, const std::string& connection,
                 const FileStateStoreOptions& options)
      : options_(options),
        files_(options.files == nullptr ? FileSystem::Real() : *options.files),
        clock_(options.clock == nullptr ? Clock::Real() : *options.clock),
        owner_(connection),
        folder_(files_, folder + "/" + FolderName(connection), connection) {}
  ~FileStateStore() override { Release(); }

  std::string Describe() const override { return absl::StrCat("files in ", folder_.path()); }
  absl::StatusOr<std::optional<StateHolder>> Holder() override;
  absl::StatusOr<std::vector<StateHead>> Heads() override;
  absl::Status ReadVersions(const VersionQuery& query,
                            const std::function<absl::Status(StoredVersion&)>& each) override;
  absl::StatusOr<std::vector<AuditRecord>> Audit(int64_t limit) override;
  absl::StatusOr<int64_t> Acquire(const OwnershipRequest& request) override;
  absl::Status Renew() override { return CheckNewest(); }
  absl::Status Append(absl::Span<const VersionAppend> appends,
                      absl::Span<const AuditRecord> audit) override;
  void Release() override;

 private:
  absl::StatusOr<FileManifest> Newest();
  absl::StatusOr<FileManifest> NewestForRepair();
  absl::Status CheckNewest();
  absl::Status Lock(const FileManifest* newest);
  bool IsHeld(const StateHolder& holder);
  absl::Status HeldBy(const StateHolder& holder) const;
  absl::Status Fenced(const StateHolder& holder) const;
  absl::StatusOr<FileManifest> TakeEpoch(FileManifest newest, bool fresh);
  absl::Status Apply(const VersionAppend& append, FileManifest* next,
                     ManifestHistory* history) const;
  // False: the manifest is gone, because a writer has gone on.
  absl::StatusOr<bool> ReadCommit(int64_t commit, const FileManifest& newest,
                                  const VersionQuery& query, int64_t* left,
                                  const std::function<absl::Status(StoredVersion&)>& each);

  const FileStateStoreOptions options_;
  FileSystem& files_;
  Clock& clock_;
  const std::string owner_;  // the connection's name
  ManifestFolder folder_;
  OwnershipRequest request_;
  std::unique_ptr<ConnectionLock> lock_;  // null: free, or taken over without it
  std::optional<FileManifest> mine_;      // the newest one while we hold the connection
  ManifestHistory history_;
};

absl::StatusOr<FileManifest> FileStateStore::Newest() { return folder_.ReadNewest(); }

absl::StatusOr<std::optional<StateHolder>> FileStateStore::Holder() {
  absl::StatusOr<FileManifest> newest = Newest();
  if (absl::IsNotFound(newest.status())) return std::nullopt;
  if (!newest.ok()) return newest.status();
  newest->holder.held = IsHeld(newest->holder);
  return newest->holder;
}

bool FileStateStore::IsHeld(const StateHolder& holder) {
  const absl::StatusOr<std::string> released = files_.Read(folder_.path() + "/released");
  int64_t epoch = 0;
  if (released.ok() && absl::SimpleAtoi(*released, &epoch) && epoch >= holder.epoch) return false;
  return IsAlive({holder.boot_id, holder.pid, holder.pid_start});
}

absl::StatusOr<std::vector<StateHead>> FileStateStore::Heads() {
  absl::StatusOr<FileManifest> newest = Newest();
  if (!newest.ok()) return newest.status();
  std::vector<StateHead> heads;
  heads.reserve(newest->entries.size());
  for (const auto& [name, entry] : newest->entries) heads.push_back(entry.head);
  return heads;
}

absl::StatusOr<bool> FileStateStore::ReadCommit(
    int64_t commit, const FileManifest& newest, const VersionQuery& query, int64_t* left,
    const std::function<absl::Status(StoredVersion&)>& each) {
  absl::StatusOr<FileManifest> manifest = folder_.ReadWhatIsThere(commit);
  if (absl::IsNotFound(manifest.status())) return false;
  if (!manifest.ok()) return manifest.status();
  if (query.newest_first) std::reverse(manifest->versions.begin(), manifest->versions.end());
  for (StateVersion& version : manifest->versions) {
    if (*left == 0) break;
    if (version.entry != query.entry || version.version < query.first ||
        !CountsInHistory(version, commit, newest)) {
      continue;
    }
    StoredVersion stored;
    stored.body_bytes = static_cast<int64_t>(version.body.size());
    stored.version = std::move(version);
    if (!query.bodies) stored.version.body.clear();
    if (absl::Status s = each(stored); !s.ok()) return s;
    --*left;
  }
  return true;
}

absl::Status FileStateStore::ReadVersions(const VersionQuery& query,
                                          const std::function<absl::Status(StoredVersion&)>& each) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    absl::StatusOr<FileManifest> newest = Newest();
    if (!newest.ok()) return newest.status();
    std::vector<int64_t> commits(newest->live.begin(), newest->live.end());
    if (query.newest_first) std::reverse(commits.begin(), commits.end());
    int64_t left = query.limit;
    const int64_t wanted = left;
    bool overtaken = false;
    for (const int64_t commit : commits) {
      if (left == 0 || overtaken) break;
      absl::StatusOr<bool> there = ReadCommit(commit, *newest, query, &left, each);
      if (!there.ok()) return there.status();
      if (*there) continue;
      // Retention has removed it meanwhile, or it was lost: then the chain shows the gap.
      absl::StatusOr<FileManifest> now = Newest();
      if (!now.ok()) return now.status();
      overtaken = now->commit != newest->commit;
    }
    if (!overtaken) return absl::OkStatus();
    if (left != wanted) {
      return absl::UnavailableError(
          absl::StrCat(Describe(), " changed while it was read; read it again"));
    }
  }
  return absl::UnavailableError(absl::StrCat(Describe(), " changes faster than it can be read"));
}

absl::StatusOr<std::vector<AuditRecord>> FileStateStore::Audit(int64_t limit) {
  absl::StatusOr<FileManifest> newest = Newest();
  if (!newest.ok()) return newest.status();
  std::vector<AuditRecord> records;
  for (auto commit = newest->live.rbegin(); commit != newest->live.rend(); ++commit) {
    absl::StatusOr<FileManifest> manifest = folder_.ReadWhatIsThere(*commit);
    if (absl::IsNotFound(manifest.status())) continue;
    if (!manifest.ok()) return manifest.status();
    for (auto record = manifest->audit.rbegin(); record != manifest->audit.rend(); ++record) {
      if (limit >= 0 && static_cast<int64_t>(records.size()) >= limit) return records;
      records.push_back(std::move(*record));
    }
  }
  return records;
}

absl::Status FileStateStore::HeldBy(const StateHolder& holder) const {
  return AsHeldElsewhere(absl::FailedPreconditionError(absl::StrCat(
      "connection \"", owner_, "\" is being worked on in ", Describe(), " by ",
      holder.epoch == 0 ? "another process"
                        : absl::StrCat(holder.holder, " (pid ", holder.pid, ") since ",
                                       FormatReportTime(holder.acquired_at_us)),
      "; wait for its end or stop it, or take the connection over (`tidemark run --take-over`)")));
}

absl::Status FileStateStore::Fenced(const StateHolder& holder) const {
  return absl::FailedPreconditionError(absl::StrCat(
      "FENCED: connection \"", owner_, "\" was taken over in ", Describe(), " by ", holder.holder,
      " at ", FormatReportTime(holder.acquired_at_us), " (epoch ", holder.epoch, ", ours is ",
      mine_.has_value() ? mine_->holder.epoch : 0, "); nothing was written here"));
}

// The newest manifest that can be read; what is damaged above it gets another name.
absl::StatusOr<FileManifest> FileStateStore::NewestForRepair() {
  absl::StatusOr<std::vector<int64_t>> commits = folder_.Commits();
  if (!commits.ok()) return commits.status();
  const int64_t highest = commits->back();
  for (auto commit = commits->rbegin(); commit != commits->rend(); ++commit) {
    absl::StatusOr<FileManifest> manifest = folder_.Read(*commit);
    if (manifest.ok()) {
      // Neither a number nor an epoch comes again: an epoch is never larger than its commit.
      manifest->live.insert(manifest->commit);
      manifest->commit = highest;
      manifest->holder.epoch = std::max(manifest->holder.epoch, highest);
      if (*commit != highest) manifest->hash.clear();
      return manifest;
    }
    if (!absl::IsDataLoss(manifest.status())) return manifest.status();
    if (absl::Status s = folder_.PutAside(*commit); !s.ok()) return s;
  }
  FileManifest nothing;
  nothing.connection = owner_;
  nothing.commit = nothing.holder.epoch = highest;
  return nothing;
}

absl::Status FileStateStore::Lock(const FileManifest* newest) {
  absl::StatusOr<std::unique_ptr<ConnectionLock>> lock =
      ConnectionLock::Acquire(folder_.path(), owner_);
  if (lock.ok()) {
    lock_ = *std::move(lock);
  } else if (!absl::IsAlreadyExists(lock.status())) {
    return lock.status();
  }
  if (request_.take_over) return absl::OkStatus();
  const StateHolder holder = newest == nullptr ? StateHolder() : newest->holder;
  if (lock_ == nullptr) return HeldBy(holder);
  // With the lock in hand, a manifest of this very process is of an owner that has ended here.
  if (newest != nullptr && IsHeld(holder) &&
      !IsCurrent({holder.boot_id, holder.pid, holder.pid_start})) {
    return HeldBy(holder);
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> FileStateStore::Acquire(const OwnershipRequest& request) {
  if (mine_.has_value()) {
    return absl::InternalError(absl::StrCat(Describe(), " are already acquired"));
  }
  if (options_.read_only) {
    return absl::FailedPreconditionError(absl::StrCat(Describe(), " were opened for looking only"));
  }
  request_ = request;
  absl::StatusOr<FileManifest> taken = absl::UnavailableError(
      absl::StrCat(Describe(), " change faster than they can be taken over"));
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    absl::StatusOr<FileManifest> newest = Newest();
    if (absl::IsDataLoss(newest.status()) && request.rebuild) newest = NewestForRepair();
    const bool fresh = absl::IsNotFound(newest.status());
    if (fresh && (options_.create || request.rebuild)) {
      if (absl::Status s = files_.MakeFolder(folder_.path()); !s.ok()) return s;
      newest = FileManifest();
    }
    if (!newest.ok()) return newest.status();
    if (lock_ == nullptr) {
      if (absl::Status s = Lock(fresh ? nullptr : &*newest); !s.ok()) {
        lock_ = nullptr;
        return s;
      }
    }
    taken = TakeEpoch(*std::move(newest), fresh);
    if (!absl::IsAlreadyExists(taken.status())) break;  // else somebody was faster: look again
  }
  if (!taken.ok()) {
    lock_ = nullptr;
    return taken.status();
  }
  mine_ = *std::move(taken);
  folder_.Sweep(mine_->live, mine_->commit, lock_ != nullptr);
  return mine_->holder.epoch;
}

// Commits a manifest that says who holds the connection now.
absl::StatusOr<FileManifest> FileStateStore::TakeEpoch(FileManifest newest, bool fresh) {
  absl::StatusOr<ManifestHistory> history =
      ManifestHistory::Load(folder_, newest, request_.rebuild);
  if (!history.ok()) return history.status();
  const StateHolder before = newest.holder;
  const bool taken_over =
      request_.take_over && !fresh && (lock_ == nullptr || IsHeld(before)) &&
      (lock_ == nullptr || !IsCurrent({before.boot_id, before.pid, before.pid_start}));
  FileManifest next = std::move(newest);
  next.previous = next.hash;  // empty: the first, or one after a repair
  next.connection = owner_;
  ++next.commit;
  next.engine = options_.engine;
  next.versions.clear();
  next.audit.clear();
  const HolderIdentity self = CurrentProcess();
  next.holder.epoch = before.epoch + 1;
  next.holder.holder = request_.holder;
  next.holder.boot_id = self.boot_id;
  next.holder.pid = self.pid;
  next.holder.pid_start = self.start;
  next.holder.acquired_at_us = absl::ToUnixMicros(clock_.Now());
  if (taken_over) {
    next.audit.push_back(
        {next.holder.acquired_at_us, "take-over", "", request_.holder,
         absl::StrCat("taken from ", before.holder, " (pid ", before.pid, ", epoch ", before.epoch,
                      "), which was still there; the epoch is now ", next.holder.epoch)});
    history->Pin(next.commit);
  }
  if (request_.rebuild) {
    for (auto& [name, entry] : next.entries) history->BeginWithWhatIsThere(name, &entry);
  }
  next.live = history->Live(next.commit);
  absl::Status status = folder_.Add(&next);
  // Whether it is durable does not matter yet: the first append makes it so.
  if (!status.ok() && !absl::IsAborted(status)) return status;
  history_ = *std::move(history);
  return next;
}

absl::Status FileStateStore::CheckNewest() {
  if (!mine_.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat(Describe(), " are not acquired"));
  }
  if (lock_ == nullptr) {
    absl::StatusOr<std::unique_ptr<ConnectionLock>> lock =
        ConnectionLock::Acquire(folder_.path(), owner_);
    if (lock.ok()) lock_ = *std::move(lock);
  }
  absl::StatusOr<std::vector<int64_t>> commits = folder_.Commits();
  if (!commits.ok()) return commits.status();
  if (commits->back() == mine_->commit) return absl::OkStatus();
  absl::StatusOr<FileManifest> newest = Newest();
  if (!newest.ok()) return newest.status();
  if (newest->holder.epoch != mine_->holder.epoch) return Fenced(newest->holder);
  // An Add of ours whose outcome was not known.
  absl::StatusOr<ManifestHistory> history =
      ManifestHistory::Load(folder_, *newest, request_.rebuild);
  if (!history.ok()) return history.status();
  mine_ = *std::move(newest);
  history_ = *std::move(history);
  return absl::OkStatus();
}

absl::Status FileStateStore::Apply(const VersionAppend& append, FileManifest* next,
                                   ManifestHistory* history) const {
  const StateVersion& version = append.version;
  auto found = next->entries.find(version.entry);
  const bool exists = found != next->entries.end();
  if ((exists ? found->second.head.version : 0) != append.expected_version ||
      (exists && found->second.head.chain != append.expected_chain)) {
    return absl::DataLossError(absl::StrCat(
        "DIVERGED: state entry \"", version.entry, "\" of connection \"", owner_, "\" in ",
        Describe(), " is not at version ", append.expected_version,
        ", on which this commit builds; nothing was written. Run `tidemark state log` to see who "
        "wrote it"));
  }
  FileManifest::Entry& entry = next->entries[version.entry];
  for (const int64_t number : append.set_aside) {
    next->asides.push_back({version.entry, number, next->commit - 1});
  }
  history->SetAside(version.entry, append.set_aside);
  entry.head.entry = version.entry;
  entry.head.schema = append.schema;
  entry.head.table = append.table;
  entry.head.version = version.version;
  entry.head.chain = version.chain;
  if (append.anchor.has_value()) entry.head.anchor = *append.anchor;
  history->Add(version, next->commit);
  next->versions.push_back(version);
  return absl::OkStatus();
}

absl::Status FileStateStore::Append(absl::Span<const VersionAppend> appends,
                                    absl::Span<const AuditRecord> audit) {
  if (absl::Status s = CheckNewest(); !s.ok()) return s;
  if (absl::Status s = CheckAppends(appends, owner_); !s.ok()) return s;
  FileManifest next = *mine_;
  next.previous = mine_->hash;
  ++next.commit;
  next.engine = options_.engine;
  next.versions.clear();
  next.audit.assign(audit.begin(), audit.end());
  ManifestHistory history = history_;
  if (!audit.empty()) history.Pin(next.commit);
  for (const VersionAppend& append : appends) {
    if (absl::Status s = Apply(append, &next, &history); !s.ok()) return s;
  }
  for (const VersionAppend& append : appends) {
    history.Retain(append.version.entry, request_.retention, request_.horizon,
                   &next.entries[append.version.entry]);
  }
  next.live = history.Live(next.commit);
  const absl::Status status = folder_.Add(&next);
  if (!status.ok()) {
    // Whatever step failed: when the connection was taken over, that is why.
    absl::StatusOr<FileManifest> newest = Newest();
    const bool taken = newest.ok() && newest->holder.epoch != mine_->holder.epoch;
    return taken ? Fenced(newest->holder) : status;
  }
  mine_ = std::move(next);
  history_ = std::move(history);
  folder_.Sweep(mine_->live, mine_->commit, false);
  return absl::OkStatus();
}

void FileStateStore::Release() {
  if (!mine_.has_value()) return;
  const std::string epoch = absl::StrCat(mine_->holder.epoch);
  mine_ = std::nullopt;
  // A server that lives on does not hold the connection any more. Where this fails, the process is
  // about to end, and that says the same.
  if (lock_ != nullptr) {
    ReplaceFile(files_, folder_.path() + "/released", epoch).IgnoreError();
  }
  lock_ = nullptr;
}

}  // namespace

absl::StatusOr<std::unique_ptr<StateStore>> OpenFileStateStore(
    const std::string& folder, const std::string& connection,
    const FileStateStoreOptions& options) {
  return std::make_unique<FileStateStore>(folder, connection, options);
}

}  // namespace tidemark
