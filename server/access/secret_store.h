// The secrets of a server: written once, read by the engine only. Tables `secrets` and
// `secret_keys` of the catalog (secret_store.cc, sealing_keys.cc).
#ifndef TIDEMARK_ACCESS_SECRET_STORE_H_
#define TIDEMARK_ACCESS_SECRET_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "access/master_key.h"
#include "access/secret_key.h"
#include "core/clock.h"
#include "core/file_system.h"
#include "core/mutex.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// A stored secret; nothing of its value.
struct SecretRecord {
  std::string name;
  int64_t version = 0;  // grows by one each time it is set, also after it was deleted
  absl::Time created_at;
  absl::Time set_at;
};

// What a rotation did.
struct KeyRotation {
  std::string old_key;  // SecretKey::Id() of the master keys
  std::string new_key;
  size_t secrets = 0;  // that were sealed again
};

// INVALID_ARGUMENT unless `name` is [A-Za-z_][A-Za-z0-9_.-]{0,127}.
absl::Status CheckSecretName(absl::string_view name);

// Thread-safe. The catalog is shared: whoever uses it holds `mutex`.
class SecretStore {
 public:
  static constexpr size_t kMaxValueBytes = 64 * 1024;

  // All of them must outlive the store.
  struct Parts {
    SqliteConnection& catalog;
    Mutex& mutex;
    Clock& clock;
    FileSystem& files;
  };

  // Creates the tables, and in the data folder a first master.key (0400), where there is nothing
  // yet; finishes a rotation that was killed. FAILED_PRECONDITION: the secrets that are there need
  // another master key, named by its id, or their key file is gone. Errors of the source pass.
  static absl::StatusOr<std::unique_ptr<SecretStore>> Open(const Parts& parts,
                                                           const MasterKeySource& source);
  // Removes every secret and key, for whoever has lost the master key.
  static absl::Status Discard(const Parts& parts);

  // INVALID_ARGUMENT: the name, or a value that is empty or longer than kMaxValueBytes.
  absl::StatusOr<SecretRecord> Set(absl::string_view name, absl::string_view value);
  // At most `limit` secrets whose name sorts behind `after`, by name.
  absl::StatusOr<std::vector<SecretRecord>> List(absl::string_view after, size_t limit);
  absl::Status Delete(absl::string_view name);  // NOT_FOUND

  // The value, for the engine and for nobody else; to be given to the Redactor, and wiped.
  // NOT_FOUND; DATA_LOSS names a secret whose record is damaged.
  absl::StatusOr<std::string> Resolve(absl::string_view name);

  // From now on everything is sealed with `next`, in one transaction: with a new data key, so that
  // the old master key opens nothing that stands in the catalog afterwards. `next` empty: a fresh
  // key of the data folder, which must be the source. A `next` of elsewhere must be what the
  // configuration names at the next start. After an error the old key holds, unless the error says
  // otherwise. FAILED_PRECONDITION: `next` is missing, or it is the key that holds. DATA_LOSS names
  // a damaged secret: delete or set it first.
  absl::StatusOr<KeyRotation> Rotate(std::optional<SecretKey> next);

  std::string master_key_id() const;  // SecretKey::Id()

 private:
  struct Sealed {
    int64_t version = 0;
    std::string key;
    std::string box;
    int64_t created_us = 0;
  };

  SecretStore(const Parts& parts, MasterKeySource source, SecretKey master);

  absl::StatusOr<std::optional<Sealed>> Find(const std::string& name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::string> OpenValue(const std::string& name, const Sealed& sealed)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // How many values there are.
  absl::StatusOr<size_t> Reseal(const SecretKey& next) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ResealValue(const std::string& name, const std::string& key_id, const SecretKey& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  FileSystem& files_;
  const MasterKeySource source_;
  Mutex& mutex_;
  SqliteConnection* const catalog_ ABSL_PT_GUARDED_BY(mutex_);
  SecretKey master_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_SECRET_STORE_H_
