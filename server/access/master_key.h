// Where the key that protects all others comes from, and its file in the data folder.
#ifndef TIDEMARK_ACCESS_MASTER_KEY_H_
#define TIDEMARK_ACCESS_MASTER_KEY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "access/secret_key.h"
#include "core/file_system.h"

namespace tidemark {

struct MasterKeySource {
  enum class Kind { kDataFolder, kFile, kEnvironment, kCredential };

  Kind kind = Kind::kDataFolder;
  std::string name;  // path, variable or credential; of kDataFolder the path of master.key

  // "" (the data folder), "file:PATH", "env:NAME" or "credential:NAME" (systemd's LoadCredential=,
  // below $CREDENTIALS_DIRECTORY). INVALID_ARGUMENT says which part is wrong.
  static absl::StatusOr<MasterKeySource> Parse(absl::string_view text,
                                               const std::string& data_folder);
  // For errors: "file /etc/tidemark/master.key".
  std::string Describe() const;
};

// Reads the key: 64 hexadecimal digits. A file is refused when its group or others can use it, and
// systemd's credential when others can (its group bits show an access list). An environment
// variable is removed from this process's environment, so that no child inherits it: REQUIRES for
// it that no other thread reads the environment. NOT_FOUND; PERMISSION_DENIED; INVALID_ARGUMENT.
absl::StatusOr<SecretKey> ReadMasterKey(const MasterKeySource& source);

// Writes a key file (mode 0400), whole and durable or not at all. ALREADY_EXISTS: unchanged.
absl::Status WriteMasterKey(FileSystem& files, const std::string& path, const SecretKey& key);

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_MASTER_KEY_H_
