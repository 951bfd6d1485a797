// secrets      one row per name that was ever set. box: the value, sealed with the data key that
//              `key` names (access/secret_box.h); NULL: deleted, the row keeps the version growing.
//              What it belongs to, so that none can be put in another's place:
//              associated = parts("tidemark secret 1", name, version as decimal text, key id)
// The keys: access/sealing_keys.cc.
#include "access/secret_store.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "access/catalog_transaction.h"
#include "access/sealing_keys.h"
#include "access/secret_box.h"
#include "core/digest.h"
#include "core/failpoint.h"
#include "core/status_context.h"

namespace tidemark {
namespace {

constexpr char kSecretTables[] = R"sql(
CREATE TABLE IF NOT EXISTS secrets(
  name TEXT NOT NULL PRIMARY KEY,
  version INTEGER NOT NULL,
  key TEXT NOT NULL,
  box BLOB,
  created_at INTEGER NOT NULL,
  set_at INTEGER NOT NULL
) STRICT;
)sql";

// While it lives, SQLite overwrites what is replaced or removed, instead of leaving it in free
// pages. To be made outside of a transaction. Costs writes, so that it is not for the whole
// catalog.
class Overwriting {
 public:
  explicit Overwriting(SqliteConnection& catalog)
      : catalog_(catalog), begun_(catalog.Execute("PRAGMA secure_delete = ON")) {}
  ~Overwriting() { catalog_.Execute("PRAGMA secure_delete = OFF").IgnoreError(); }
  Overwriting(const Overwriting&) = delete;
  Overwriting& operator=(const Overwriting&) = delete;

  const absl::Status& begun() const { return begun_; }

 private:
  SqliteConnection& catalog_;
  const absl::Status begun_;
};

absl::Status CreateTables(SqliteConnection& catalog) {
  absl::Status created = catalog.Execute(kSecretTables);
  return created.ok() ? CreateKeyTable(catalog) : created;
}

std::string OfValue(absl::string_view name, int64_t version, absl::string_view key_id) {
  return AssociatedParts({"tidemark secret 1", name, absl::StrCat(version), key_id});
}

// Names of what is set, ascending.
absl::StatusOr<std::vector<std::string>> StoredNames(SqliteConnection& catalog) {
  absl::StatusOr<SqliteStatement*> rows =
      catalog.Query("SELECT name FROM secrets WHERE box IS NOT NULL ORDER BY name");
  if (!rows.ok()) return rows.status();
  std::vector<std::string> names;
  while (true) {
    const absl::StatusOr<bool> next = catalog.Next(**rows);
    if (!next.ok()) return next.status();
    if (!*next) return names;
    names.push_back((*rows)->String(0));
  }
}

}  // namespace

absl::Status CheckSecretName(absl::string_view name) {
  const auto is_letter = [](char c) {
    return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_';
  };
  const bool fits = !name.empty() && name.size() <= 128 && is_letter(name[0]) &&
                    std::all_of(name.begin(), name.end(), [is_letter](char c) {
                      return is_letter(c) || absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
                             c == '.' || c == '-';
                    });
  // Not repeated: people mix up name and value.
  return fits
             ? absl::OkStatus()
             : absl::InvalidArgumentError(
                   "name: a secret's name is a letter or _, then at most 127 of A-Z a-z 0-9 _ . -");
}

SecretStore::SecretStore(const Parts& parts, MasterKeySource source, SecretKey master)
    : clock_(parts.clock),
      files_(parts.files),
      source_(std::move(source)),
      mutex_(parts.mutex),
      catalog_(&parts.catalog),
      master_(std::move(master)) {}

absl::StatusOr<std::unique_ptr<SecretStore>> SecretStore::Open(const Parts& parts,
                                                               const MasterKeySource& source) {
  MutexLock lock(parts.mutex);
  if (absl::Status s = CreateTables(parts.catalog); !s.ok()) return s;
  absl::StatusOr<SecretKey> master = OpenMasterKey(parts.catalog, parts.files, source);
  if (!master.ok()) return master.status();
  absl::Status made =
      CreateFirstDataKey(parts.catalog, *master, absl::ToUnixMicros(parts.clock.Now()));
  if (!made.ok()) return made;
  return std::unique_ptr<SecretStore>(new SecretStore(parts, source, *std::move(master)));
}

absl::Status SecretStore::Discard(const Parts& parts) {
  MutexLock lock(parts.mutex);
  if (absl::Status s = CreateTables(parts.catalog); !s.ok()) return s;
  const Overwriting overwriting(parts.catalog);
  if (!overwriting.begun().ok()) return overwriting.begun();
  CatalogTransaction transaction(parts.catalog);
  if (!transaction.begun().ok()) return transaction.begun();
  // The rows stay, for their versions go on.
  absl::Status status = parts.catalog.Run("UPDATE secrets SET box = NULL, key = ''");
  if (status.ok()) status = parts.catalog.Run("DELETE FROM secret_keys");
  return status.ok() ? transaction.Commit() : status;
}

absl::StatusOr<std::optional<SecretStore::Sealed>> SecretStore::Find(const std::string& name) {
  absl::StatusOr<SqliteStatement*> row =
      catalog_->Query("SELECT version, key, box, created_at FROM secrets WHERE name = ?", name);
  if (!row.ok()) return row.status();
  const absl::StatusOr<bool> found = catalog_->Next(**row);
  if (!found.ok()) return found.status();
  std::optional<Sealed> sealed;
  if (*found) {
    sealed =
        Sealed{(*row)->Int(0), (*row)->String(1), std::string((*row)->Bytes(2)), (*row)->Int(3)};
  }
  (*row)->Reset();
  return sealed;
}

absl::StatusOr<std::string> SecretStore::OpenValue(const std::string& name, const Sealed& sealed) {
  absl::StatusOr<SecretKey> key = ReadDataKey(*catalog_, master_, sealed.key);
  absl::StatusOr<std::string> value =
      key.ok() ? OpenText(*key, OfValue(name, sealed.version, sealed.key), sealed.box)
               : absl::StatusOr<std::string>(key.status());
  if (absl::IsDataLoss(value.status())) {
    return absl::DataLossError(absl::StrCat("secret \"", name, "\" (version ", sealed.version,
                                            ") is damaged: ", value.status().message(),
                                            "; set it again"));
  }
  return value;
}

absl::StatusOr<SecretRecord> SecretStore::Set(absl::string_view name, absl::string_view value) {
  if (absl::Status s = CheckSecretName(name); !s.ok()) return s;
  if (value.empty() || value.size() > kMaxValueBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("value: a secret has 1 to ", kMaxValueBytes, " bytes"));
  }
  SecretRecord record;
  record.name = std::string(name);
  const int64_t now_us = absl::ToUnixMicros(clock_.Now());
  record.set_at = absl::FromUnixMicros(now_us);

  MutexLock lock(mutex_);
  const Overwriting overwriting(*catalog_);
  if (!overwriting.begun().ok()) return overwriting.begun();
  CatalogTransaction transaction(*catalog_);
  if (!transaction.begun().ok()) return transaction.begun();
  absl::StatusOr<std::optional<Sealed>> before = Find(record.name);
  if (!before.ok()) return before.status();
  absl::StatusOr<std::string> key_id = CurrentDataKeyId(*catalog_);
  if (!key_id.ok()) return key_id.status();
  absl::StatusOr<SecretKey> key = ReadDataKey(*catalog_, master_, *key_id);
  if (!key.ok()) return key.status();
  record.version = before->has_value() ? (*before)->version + 1 : 1;
  const bool is_new = !before->has_value() || (*before)->box.empty();
  const int64_t created_us = is_new ? now_us : (*before)->created_us;
  record.created_at = absl::FromUnixMicros(created_us);
  const std::string box = SealText(*key, OfValue(record.name, record.version, *key_id), value);
  absl::Status status = catalog_->Run(
      "INSERT OR REPLACE INTO secrets(name, version, key, box, created_at, set_at) "
      "VALUES(?, ?, ?, ?, ?, ?)",
      record.name, record.version, *key_id, SqliteBlob{box}, created_us, now_us);
  if (status.ok()) status = transaction.Commit();
  if (!status.ok()) return status;
  return record;
}

absl::StatusOr<std::vector<SecretRecord>> SecretStore::List(absl::string_view after, size_t limit) {
  std::vector<SecretRecord> records;
  MutexLock lock(mutex_);
  absl::StatusOr<SqliteStatement*> rows = catalog_->Query(
      "SELECT name, version, created_at, set_at FROM secrets "
      "WHERE name > ? AND box IS NOT NULL ORDER BY name LIMIT ?",
      after, static_cast<int64_t>(limit));
  if (!rows.ok()) return rows.status();
  while (true) {
    const absl::StatusOr<bool> next = catalog_->Next(**rows);
    if (!next.ok()) return next.status();
    if (!*next) return records;
    records.push_back({(*rows)->String(0), (*rows)->Int(1), absl::FromUnixMicros((*rows)->Int(2)),
                       absl::FromUnixMicros((*rows)->Int(3))});
  }
}

absl::Status SecretStore::Delete(absl::string_view name) {
  if (absl::Status s = CheckSecretName(name); !s.ok()) return s;
  MutexLock lock(mutex_);
  const Overwriting overwriting(*catalog_);
  if (!overwriting.begun().ok()) return overwriting.begun();
  absl::Status status = catalog_->Run(
      "UPDATE secrets SET box = NULL, key = '' WHERE name = ? AND box IS NOT NULL", name);
  if (!status.ok()) return status;
  if (sqlite3_changes(catalog_->db()) == 0) {
    return absl::NotFoundError(absl::StrCat("there is no secret \"", name, "\""));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> SecretStore::Resolve(absl::string_view name) {
  if (absl::Status s = CheckSecretName(name); !s.ok()) return s;
  const std::string key(name);
  MutexLock lock(mutex_);
  absl::StatusOr<std::optional<Sealed>> sealed = Find(key);
  if (!sealed.ok()) return sealed.status();
  if (!sealed->has_value() || (*sealed)->key.empty()) {
    return absl::NotFoundError(
        absl::StrCat("there is no secret \"", name, "\"; set it, or correct the reference"));
  }
  return OpenValue(key, **sealed);
}

std::string SecretStore::master_key_id() const {
  MutexLock lock(mutex_);
  return master_.Id();
}

absl::StatusOr<KeyRotation> SecretStore::Rotate(std::optional<SecretKey> next) {
  const bool own = !next.has_value();
  if (own && source_.kind != MasterKeySource::Kind::kDataFolder) {
    return absl::FailedPreconditionError(
        absl::StrCat("the master key comes from ", source_.Describe(),
                     "; name where the next one comes from as secrets.next_key of the server's "
                     "settings, and start it again"));
  }
  MutexLock lock(mutex_);
  KeyRotation rotation;
  rotation.old_key = master_.Id();
  if (!own && next->Id() == rotation.old_key) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the secrets are sealed with master key ", rotation.old_key,
        " already, which is the one that secrets.next_key gives; give it another one"));
  }
  if (own) {
    absl::StatusOr<SecretKey> fresh = PrepareNextMasterKey(files_, source_);
    if (!fresh.ok()) return fresh.status();
    next = *std::move(fresh);
  }
  absl::StatusOr<size_t> sealed = Reseal(*next);
  if (!sealed.ok()) return sealed.status();
  rotation.secrets = *sealed;
  // What the old keys could open shall not stay behind in the log either. A reader elsewhere may
  // keep it for a while.
  catalog_->Execute("PRAGMA wal_checkpoint(TRUNCATE)").IgnoreError();
  master_ = *std::move(next);
  if (absl::Status s = Failpoint("secrets.committed"); !s.ok()) return s;
  rotation.new_key = master_.Id();
  if (!own) return rotation;
  absl::Status renamed = files_.Rename(NextMasterKeyPath(source_), source_.name);
  if (renamed.ok()) renamed = files_.SyncFolder(FolderOf(source_.name));
  if (renamed.ok()) return rotation;
  return WithContext(absl::StrCat("the new master key ", master_.Id(), " holds, and stands in ",
                                  NextMasterKeyPath(source_), ", which the next start renames"),
                     renamed);
}

absl::StatusOr<size_t> SecretStore::Reseal(const SecretKey& next) {
  absl::StatusOr<SecretKey> key = SecretKey::Random();
  if (!key.ok()) return key.status();
  const std::string key_id = RandomHex(8);
  const Overwriting overwriting(*catalog_);
  if (!overwriting.begun().ok()) return overwriting.begun();
  CatalogTransaction transaction(*catalog_);
  if (!transaction.begun().ok()) return transaction.begun();
  absl::StatusOr<std::vector<std::string>> names = StoredNames(*catalog_);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (absl::Status s = ResealValue(name, key_id, *key); !s.ok()) return s;
  }
  absl::Status status =
      ReplaceDataKey(*catalog_, key_id, next, *key, absl::ToUnixMicros(clock_.Now()));
  if (status.ok()) status = Failpoint("secrets.before_commit");
  if (status.ok()) status = transaction.Commit();
  if (!status.ok()) return status;
  return names->size();
}

absl::Status SecretStore::ResealValue(const std::string& name, const std::string& key_id,
                                      const SecretKey& key) {
  absl::StatusOr<std::optional<Sealed>> sealed = Find(name);
  if (!sealed.ok()) return sealed.status();
  if (!sealed->has_value()) return absl::InternalError("a secret vanished inside a transaction");
  absl::StatusOr<std::string> value = OpenValue(name, **sealed);
  if (!value.ok()) return value.status();
  const std::string box = SealText(key, OfValue(name, (*sealed)->version, key_id), *value);
  Wipe(&*value);
  absl::Status status = catalog_->Run("UPDATE secrets SET key = ?, box = ? WHERE name = ?", key_id,
                                      SqliteBlob{box}, name);
  return status.ok() ? Failpoint("secrets.resealed") : status;
}

}  // namespace tidemark
