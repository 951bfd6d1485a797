// A FileSystem over the real one that fails at the n-th writing call, for one call or for good, and
// can lose what was not made durable, as a power failure does.
#ifndef TIDEMARK_TESTS_STATE_FAULTY_FILES_H_
#define TIDEMARK_TESTS_STATE_FAULTY_FILES_H_

#include <filesystem>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/file_system.h"

namespace tidemark {

// Confined to one thread.
class FaultyFiles final : public FileSystem {
 public:
  // Fails the writing call with this number, from 1; 0: none.
  int fail_at = 0;
  bool fail_for_good = false;  // and every call after it: the process is as good as dead
  absl::StatusCode code = absl::StatusCode::kUnavailable;
  std::function<void(const std::string& call, const std::string& path)> before = nullptr;

  void Heal() {
    fail_at = 0;
    dead_ = false;
  }
  int calls() const { return calls_; }
  bool hit() const { return hit_; }

  // What a power failure leaves: renames whose folder was not synced may be undone, files that were
  // not synced are cut anywhere.
  void LosePower(std::mt19937& random) {
    for (auto rename = renames_.rbegin(); rename != renames_.rend(); ++rename) {
      if (random() % 2 == 0) continue;
      std::filesystem::rename(rename->second, rename->first);
      if (unsynced_.erase(rename->second) != 0) unsynced_.insert(rename->first);
    }
    for (const std::string& path : unsynced_) {
      if (!std::filesystem::exists(path)) continue;
      std::filesystem::resize_file(path, random() % (std::filesystem::file_size(path) + 1));
    }
    renames_.clear();
    unsynced_.clear();
  }

  absl::StatusOr<std::string> Read(const std::string& path) override {
    return dead_ ? Failure(path) : real_.Read(path);
  }
  absl::Status WriteNew(const std::string& path, absl::string_view bytes) override {
    if (Fails("WriteNew", path)) {
      real_.WriteNew(path, bytes.substr(0, bytes.size() / 2)).IgnoreError();
      unsynced_.insert(path);
      return Failure(path);
    }
    unsynced_.insert(path);
    return real_.WriteNew(path, bytes);
  }
  absl::Status Append(const std::string& path, absl::string_view bytes) override {
    if (Fails("Append", path)) return Failure(path);
    unsynced_.insert(path);
    return real_.Append(path, bytes);
  }
  absl::Status SyncFile(const std::string& path) override {
    if (Fails("SyncFile", path)) return Failure(path);
    unsynced_.erase(path);
    return real_.SyncFile(path);
  }
  absl::Status SyncFolder(const std::string& folder) override {
    if (Fails("SyncFolder", folder)) return Failure(folder);
    renames_.clear();
    return real_.SyncFolder(folder);
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (Fails("Rename", from)) return Failure(from);
    return real_.Rename(from, to);
  }
  absl::Status RenameNew(const std::string& from, const std::string& to) override {
    if (Fails("RenameNew", from)) return Failure(from);
    absl::Status status = real_.RenameNew(from, to);
    if (!status.ok()) return status;
    renames_.emplace_back(from, to);
    if (unsynced_.erase(from) != 0) unsynced_.insert(to);
    return status;
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& folder) override {
    return dead_ ? Failure(folder) : real_.List(folder);
  }
  absl::Status Remove(const std::string& path) override {
    if (Fails("Remove", path)) return Failure(path);
    unsynced_.erase(path);
    return real_.Remove(path);
  }
  absl::StatusOr<bool> Exists(const std::string& path) override {
    return dead_ ? Failure(path) : real_.Exists(path);
  }
  absl::StatusOr<int64_t> Size(const std::string& path) override {
    return dead_ ? Failure(path) : real_.Size(path);
  }
  absl::Status MakeFolder(const std::string& folder) override {
    if (Fails("MakeFolder", folder)) return Failure(folder);
    return real_.MakeFolder(folder);
  }

 private:
  bool Fails(const std::string& call, const std::string& path) {
    if (dead_) return true;
    if (before != nullptr) before(call, path);
    if (++calls_ != fail_at) return false;
    hit_ = true;
    dead_ = fail_for_good;
    return true;
  }
  absl::Status Failure(const std::string& path) const {
    return absl::Status(code, path + ": failed by the test");
  }

  FileSystem& real_ = FileSystem::Real();
  int calls_ = 0;
  bool hit_ = false;
  bool dead_ = false;
  std::set<std::string> unsynced_;                            // files
  std::vector<std::pair<std::string, std::string>> renames_;  // from, to
};

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_STATE_FAULTY_FILES_H_
