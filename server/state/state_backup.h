// Backups of one connection's state: every version with its body, in a file of its own.
//
// Grammar: lines of JSON, each ended by \n.
//   header  {"tidemark_state_backup":1,"connection":T,"store":T,"created_at":T,"engine":T}
//   head    {"head":T,"schema":T,"table":T,"version":N,"chain":HEX,"anchor":HEX}      per entry
//   version {"entry":T,"version":N,...,"body":BASE64}   the columns of a version, ascending per
//   head end     {"lines":N,"blake2b256":HEX}     of all lines before it, with their line ends
// A version that could not be read is kept as far as it could, with "unreadable": the reason.
//
// The folder of a connection's backups lies beside its store; a file is named
// CONNECTION.20240115T103000.000000Z.backup and appears whole or not at all.
#ifndef TIDEMARK_STATE_STATE_BACKUP_H_
#define TIDEMARK_STATE_STATE_BACKUP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/file_system.h"
#include "state/state_store.h"
#include "state/state_version.h"

namespace tidemark {

inline constexpr int kBackupFormat = 1;

// "warehouse.db" -> "warehouse.db.state-backups".
std::string BackupFolder(absl::string_view store_path);

struct BackupOptions {
  std::string folder;
  std::string connection;
  std::string engine;
  int64_t now_us = 0;  // Unix microseconds UTC
  int keep = 7;        // so many of the connection's backups stay, the new one included
  // false: a state that does not verify (L0) is DATA_LOSS and nothing is written.
  bool damaged_too = true;
};

// Writes a backup and removes the oldest beyond `keep`; returns its path. A damaged state removes
// none, so that it never pushes out a good one. Works beside a sync: what the heads name when it
// begins is what it holds. NOT_FOUND: there is no state yet. ABORTED: the state changed faster than
// it could be read.
absl::StatusOr<std::string> WriteBackup(StateStore& store, FileSystem& files,
                                        const BackupOptions& options);

struct BackupFile {
  std::string path;
  int64_t created_at_us = 0;
};
// Oldest first. A folder that is not there holds none.
absl::StatusOr<std::vector<BackupFile>> ListBackups(FileSystem& files, const std::string& folder,
                                                    absl::string_view connection);

struct BackupEntry {
  StateHead head;
  std::vector<StateVersion> versions;  // ascending, with bodies
};
struct StateBackup {
  std::string connection;
  std::string store;  // StateStore::Describe() of then
  std::string engine;
  int64_t created_at_us = 0;
  std::vector<BackupEntry> entries;
};

// DATA_LOSS: the file is not as it was written (its checksum), or the state in it was damaged
// already (L0). FAILED_PRECONDITION: written by a newer engine. INVALID_ARGUMENT: no backup at all.
absl::StatusOr<StateBackup> ReadBackup(FileSystem& files, const std::string& path);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_STATE_BACKUP_H_
