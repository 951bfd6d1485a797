// Files as Tidemark itself writes them (state stores, backups, exports), so that tests can make
// every step fail. SQLite's own files do not pass through here (tests replace its VFS).
#ifndef TIDEMARK_CORE_FILE_SYSTEM_H_
#define TIDEMARK_CORE_FILE_SYSTEM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark {

// Thread-safe. Every error names the path and says what to do. Codes: NOT_FOUND, ALREADY_EXISTS,
// PERMISSION_DENIED (also a read-only file system), RESOURCE_EXHAUSTED (no space, no quota, no file
// descriptor), UNAVAILABLE (I/O error and everything else). Nothing is durable before SyncFile of
// the file and SyncFolder of its folder; after an error of either the bytes count as lost.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The whole content.
  virtual absl::StatusOr<std::string> Read(const std::string& path) = 0;
  // Creates `path` (mode 0600) with this content. ALREADY_EXISTS: nothing was touched. After
  // another error a part of it may stand there.
  virtual absl::Status WriteNew(const std::string& path, absl::string_view bytes) = 0;
  // Appends to the file, which is created when missing. After an error a part may be appended.
  virtual absl::Status Append(const std::string& path, absl::string_view bytes) = 0;
  virtual absl::Status SyncFile(const std::string& path) = 0;
  virtual absl::Status SyncFolder(const std::string& folder) = 0;
  // Atomic; replaces `to`.
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  // Atomic; ALREADY_EXISTS when `to` exists, `from` stays then.
  virtual absl::Status RenameNew(const std::string& from, const std::string& to) = 0;
  // Names of everything in the folder without "." and "..", ascending by bytes.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& folder) = 0;
  // A file or an empty folder. NOT_FOUND when there is none.
  virtual absl::Status Remove(const std::string& path) = 0;
  virtual absl::StatusOr<bool> Exists(const std::string& path) = 0;
  virtual absl::StatusOr<int64_t> Size(const std::string& path) = 0;  // bytes
  // With its parents (mode 0700); OK when it exists.
  virtual absl::Status MakeFolder(const std::string& folder) = 0;

  // The machine's; lives for the whole process.
  static FileSystem& Real();
};

// Puts `bytes` under `path`, whole or not at all, also through a loss of power: a temporary file
// beside it, SyncFile, Rename, SyncFolder. What stood there is replaced.
absl::Status ReplaceFile(FileSystem& files, const std::string& path, absl::string_view bytes);
// The folder that `path` lies in: "." for a bare name.
std::string FolderOf(absl::string_view path);

}  // namespace tidemark

#endif  // TIDEMARK_CORE_FILE_SYSTEM_H_
