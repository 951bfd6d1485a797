// The keys of a catalog's secrets: the master key, and the data key that it protects. Parts of
// SecretStore. REQUIRES for each that takes the catalog: its mutex is held.
#ifndef TIDEMARK_ACCESS_SEALING_KEYS_H_
#define TIDEMARK_ACCESS_SEALING_KEYS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "access/master_key.h"
#include "access/secret_key.h"
#include "core/file_system.h"
#include "state/sqlite_connection.h"

namespace tidemark {

absl::Status CreateKeyTable(SqliteConnection& catalog);

// The master key of `source`, which must be the one that the catalog needs. Of the data folder: a
// first one is made where the catalog needs none, and a rotation that was killed is finished or
// forgotten. FAILED_PRECONDITION: another key is needed, both named by their ids.
absl::StatusOr<SecretKey> OpenMasterKey(SqliteConnection& catalog, FileSystem& files,
                                        const MasterKeySource& source);

// Where there is no data key yet, a first one.
absl::Status CreateFirstDataKey(SqliteConnection& catalog, const SecretKey& master, int64_t now_us);
// `key` instead of whatever there is. REQUIRES: a transaction is open.
absl::Status ReplaceDataKey(SqliteConnection& catalog, const std::string& id,
                            const SecretKey& master, const SecretKey& key, int64_t now_us);

// DATA_LOSS: there is none.
absl::StatusOr<std::string> CurrentDataKeyId(SqliteConnection& catalog);
// DATA_LOSS: no such key, or a damaged one. FAILED_PRECONDITION: it needs another master key,
// because somebody else has rotated it.
absl::StatusOr<SecretKey> ReadDataKey(SqliteConnection& catalog, const SecretKey& master,
                                      const std::string& id);

// A rotation of the data folder's key: makes the next one, and its file.
absl::StatusOr<SecretKey> PrepareNextMasterKey(FileSystem& files, const MasterKeySource& source);
std::string NextMasterKeyPath(const MasterKeySource& source);

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_SEALING_KEYS_H_
