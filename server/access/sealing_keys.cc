// secret_keys  the data key, sealed with the master key whose id is `master`. One row; a rotation
//              replaces it. What the box belongs to:
//              associated = parts("tidemark data key 1", key id, id of the master key)
//
// The master key of the data folder, in a rotation:
//   step                                      | a crash after it: what the next start does
//   1 the new key is master.key.next          | the catalog still needs master.key: .next goes
//   2 the catalog's transaction commits       | the catalog needs .next: it becomes master.key
//   3 master.key.next is renamed master.key   | goes on
#include "access/sealing_keys.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "access/catalog_transaction.h"
#include "access/secret_box.h"
#include "core/digest.h"
#include "core/failpoint.h"
#include "core/status_context.h"

namespace tidemark {
namespace {

constexpr char kTable[] = R"sql(
CREATE TABLE IF NOT EXISTS secret_keys(
  id TEXT NOT NULL PRIMARY KEY,
  master TEXT NOT NULL,
  box BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
)sql";

std::string OfDataKey(absl::string_view key_id, absl::string_view master_id) {
  return AssociatedParts({"tidemark data key 1", key_id, master_id});
}

// The id of the master key that the catalog needs; empty: of none yet.
absl::StatusOr<std::string> NeededMaster(SqliteConnection& catalog) {
  absl::StatusOr<SqliteStatement*> rows =
      catalog.Query("SELECT DISTINCT master FROM secret_keys LIMIT 2");
  if (!rows.ok()) return rows.status();
  std::vector<std::string> masters;
  while (true) {
    const absl::StatusOr<bool> next = catalog.Next(**rows);
    if (!next.ok()) return next.status();
    if (!*next) break;
    masters.push_back((*rows)->String(0));
  }
  if (masters.empty()) return std::string();
  if (masters.size() == 1) return masters[0];
  return absl::DataLossError(absl::StrCat(catalog.path(),
                                          " names two master keys in secret_keys, which this "
                                          "program never writes; restore a backup of it"));
}

absl::Status WrongMaster(const SqliteConnection& catalog, const std::string& needed,
                         absl::string_view found) {
  return absl::FailedPreconditionError(absl::StrCat(
      "the secrets of ", catalog.path(), " are sealed with master key ", needed, ", and ", found,
      "; give that key back (secrets.key), or discard all secrets and set them again"));
}

// The key of the data folder, which must be `needed`: its file, or that of a rotation that was
// killed behind its commit.
absl::StatusOr<SecretKey> OwnMaster(const SqliteConnection& catalog, FileSystem& files,
                                    const MasterKeySource& source, const std::string& needed) {
  const std::string next_path = NextMasterKeyPath(source);
  absl::StatusOr<SecretKey> key = ReadMasterKey(source);
  if (key.ok() && (needed.empty() || key->Id() == needed)) {
    // The start of a rotation that never committed; opening the catalog has settled that.
    absl::Status removed = files.Remove(next_path);
    if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
    return key;
  }
  if (!key.ok() && !absl::IsNotFound(key.status())) return key;
  if (needed.empty()) {
    absl::StatusOr<SecretKey> first = SecretKey::Random();
    if (!first.ok()) return first;
    if (absl::Status s = WriteMasterKey(files, source.name, *first); !s.ok()) return s;
    return first;
  }
  absl::StatusOr<SecretKey> next = ReadMasterKey({MasterKeySource::Kind::kFile, next_path});
  if (next.ok() && next->Id() == needed) {
    if (absl::Status s = files.Rename(next_path, source.name); !s.ok()) return s;
    if (absl::Status s = files.SyncFolder(FolderOf(source.name)); !s.ok()) return s;
    return next;
  }
  return WrongMaster(catalog, needed,
                     key.ok() ? absl::StrCat(source.Describe(), " holds ", key->Id())
                              : absl::StrCat(source.Describe(), " is gone"));
}

absl::Status InsertDataKey(SqliteConnection& catalog, const std::string& id,
                           const SecretKey& master, const SecretKey& key, int64_t now_us) {
  const std::string master_id = master.Id();
  const std::string box = SealKey(master, OfDataKey(id, master_id), key);
  return catalog.Run("INSERT INTO secret_keys(id, master, box, created_at) VALUES(?, ?, ?, ?)", id,
                     master_id, SqliteBlob{box}, now_us);
}

}  // namespace

absl::Status CreateKeyTable(SqliteConnection& catalog) { return catalog.Execute(kTable); }

std::string NextMasterKeyPath(const MasterKeySource& source) {
  return absl::StrCat(source.name, ".next");
}

absl::StatusOr<SecretKey> OpenMasterKey(SqliteConnection& catalog, FileSystem& files,
                                        const MasterKeySource& source) {
  absl::StatusOr<std::string> needed = NeededMaster(catalog);
  if (!needed.ok()) return needed.status();
  if (source.kind == MasterKeySource::Kind::kDataFolder) {
    return OwnMaster(catalog, files, source, *needed);
  }
  absl::StatusOr<SecretKey> key = ReadMasterKey(source);
  if (key.ok() && !needed->empty() && key->Id() != *needed) {
    return WrongMaster(catalog, *needed, absl::StrCat(source.Describe(), " holds ", key->Id()));
  }
  return key;
}

absl::Status CreateFirstDataKey(SqliteConnection& catalog, const SecretKey& master,
                                int64_t now_us) {
  CatalogTransaction transaction(catalog);
  if (!transaction.begun().ok()) return transaction.begun();
  absl::StatusOr<std::string> needed = NeededMaster(catalog);
  if (!needed.ok()) return needed.status();
  if (!needed->empty()) return absl::OkStatus();
  absl::StatusOr<SecretKey> key = SecretKey::Random();
  if (!key.ok()) return key.status();
  absl::Status status = InsertDataKey(catalog, RandomHex(8), master, *key, now_us);
  return status.ok() ? transaction.Commit() : status;
}

absl::Status ReplaceDataKey(SqliteConnection& catalog, const std::string& id,
                            const SecretKey& master, const SecretKey& key, int64_t now_us) {
  absl::Status removed = catalog.Run("DELETE FROM secret_keys");
  return removed.ok() ? InsertDataKey(catalog, id, master, key, now_us) : removed;
}

absl::StatusOr<std::string> CurrentDataKeyId(SqliteConnection& catalog) {
  absl::StatusOr<SqliteStatement*> row = catalog.Query("SELECT id FROM secret_keys LIMIT 1");
  if (!row.ok()) return row.status();
  const absl::StatusOr<bool> found = catalog.Next(**row);
  if (!found.ok()) return found.status();
  if (!*found) {
    return absl::DataLossError(absl::StrCat(
        catalog.path(), " has lost its secret_keys; start the server again, and set every secret"));
  }
  std::string id = (*row)->String(0);
  (*row)->Reset();
  return id;
}

absl::StatusOr<SecretKey> ReadDataKey(SqliteConnection& catalog, const SecretKey& master,
                                      const std::string& id) {
  absl::StatusOr<SqliteStatement*> row =
      catalog.Query("SELECT master, box FROM secret_keys WHERE id = ?", id);
  if (!row.ok()) return row.status();
  const absl::StatusOr<bool> found = catalog.Next(**row);
  if (!found.ok()) return found.status();
  if (!*found) {
    return absl::DataLossError(absl::StrCat("there is no data key ", id, " in ", catalog.path()));
  }
  const std::string needed = (*row)->String(0);
  const std::string box((*row)->Bytes(1));
  (*row)->Reset();
  // Another program may have rotated it meanwhile.
  if (needed != master.Id()) {
    return WrongMaster(catalog, needed, absl::StrCat("this server holds ", master.Id()));
  }
  absl::StatusOr<SecretKey> key = OpenKey(master, OfDataKey(id, needed), box);
  if (!key.ok()) return WithContext(absl::StrCat("data key ", id), key.status());
  return key;
}

absl::StatusOr<SecretKey> PrepareNextMasterKey(FileSystem& files, const MasterKeySource& source) {
  const std::string path = NextMasterKeyPath(source);
  // One whose commit failed in this run of the server: the catalog's log may hold that commit
  // nevertheless, so that the key must not go.
  absl::StatusOr<SecretKey> left = ReadMasterKey({MasterKeySource::Kind::kFile, path});
  if (left.ok() || !absl::IsNotFound(left.status())) return left;
  absl::StatusOr<SecretKey> fresh = SecretKey::Random();
  if (!fresh.ok()) return fresh;
  if (absl::Status s = WriteMasterKey(files, path, *fresh); !s.ok()) return s;
  if (absl::Status s = Failpoint("secrets.key_written"); !s.ok()) return s;
  return fresh;
}

}  // namespace tidemark
