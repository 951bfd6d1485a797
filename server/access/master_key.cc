#include "access/master_key.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "access/private_file.h"
#include "core/digest.h"
#include "core/status_context.h"

namespace tidemark {
namespace {

constexpr size_t kMaxFileBytes = 256;

absl::StatusOr<SecretKey> ReadFile(const std::string& path, mode_t forbidden_mode) {
  absl::StatusOr<std::string> text =
      ReadPrivateFile(path, {"master key", forbidden_mode, kMaxFileBytes});
  if (!text.ok()) return text.status();
  absl::StatusOr<SecretKey> key = SecretKey::FromHex(*text);
  Wipe(&*text);
  if (!key.ok()) return WithContext(absl::StrCat("master key file ", path), key.status());
  return key;
}

absl::StatusOr<SecretKey> ReadEnvironment(const std::string& name) {
  char* const value = std::getenv(name.c_str());
  if (value == nullptr) {
    return absl::NotFoundError(absl::StrCat("master key: the variable ", name, " is not set"));
  }
  absl::StatusOr<SecretKey> key = SecretKey::FromHex(value);
  if (!key.ok()) return WithContext(absl::StrCat("master key in ", name), key.status());
  // The variable's bytes also stand in /proc/PID/environ.
  std::memset(value, '0', std::strlen(value));
  unsetenv(name.c_str());
  return key;
}

absl::StatusOr<SecretKey> ReadCredential(const std::string& name) {
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("master key: there is no $CREDENTIALS_DIRECTORY; add LoadCredential=", name,
                     ":PATH to the systemd unit"));
  }
  return ReadFile(absl::StrCat(folder, "/", name), 007);
}

}  // namespace

absl::StatusOr<MasterKeySource> MasterKeySource::Parse(absl::string_view text,
                                                       const std::string& data_folder) {
  MasterKeySource source;
  if (text.empty()) {
    source.name = absl::StrCat(data_folder, "/master.key");
    return source;
  }
  absl::string_view name = text;
  if (absl::ConsumePrefix(&name, "file:")) {
    source.kind = Kind::kFile;
  } else if (absl::ConsumePrefix(&name, "env:")) {
    source.kind = Kind::kEnvironment;
  } else if (absl::ConsumePrefix(&name, "credential:")) {
    source.kind = Kind::kCredential;
  } else {
    // Not repeated: it may be the key itself.
    return absl::InvalidArgumentError(
        "master_key: write file:PATH, env:NAME or credential:NAME, never the key itself");
  }
  if (name.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("master_key: nothing behind \"", text, "\""));
  }
  if (source.kind == Kind::kCredential &&
      (name.find('/') != absl::string_view::npos || name[0] == '.')) {
    return absl::InvalidArgumentError(
        "master_key: a credential is a name below $CREDENTIALS_DIRECTORY, no path");
  }
  source.name = std::string(name);
  return source;
}

std::string MasterKeySource::Describe() const {
  switch (kind) {
    case Kind::kDataFolder:
    case Kind::kFile:
      return absl::StrCat("file ", name);
    case Kind::kEnvironment:
      return absl::StrCat("variable ", name);
    case Kind::kCredential:
      return absl::StrCat("credential ", name);
  }
  return name;
}

absl::StatusOr<SecretKey> ReadMasterKey(const MasterKeySource& source) {
  switch (source.kind) {
    case MasterKeySource::Kind::kEnvironment:
      return ReadEnvironment(source.name);
    case MasterKeySource::Kind::kCredential:
      return ReadCredential(source.name);
    case MasterKeySource::Kind::kDataFolder:
    case MasterKeySource::Kind::kFile:
      break;
  }
  return ReadFile(source.name, 077);
}

absl::Status WriteMasterKey(FileSystem& files, const std::string& path, const SecretKey& key) {
  const std::string temporary = absl::StrCat(path, ".", RandomHex(8), ".tmp");
  std::string text = key.Hex();
  text.push_back('\n');
  absl::Status status = files.WriteNew(temporary, text);
  Wipe(&text);
  if (status.ok() && chmod(temporary.c_str(), 0400) != 0) {
    status = absl::UnavailableError(
        absl::StrCat(temporary, " cannot be made private (", std::strerror(errno), ")"));
  }
  if (status.ok()) status = files.SyncFile(temporary);
  if (status.ok()) status = files.RenameNew(temporary, path);
  if (!status.ok()) {
    files.Remove(temporary).IgnoreError();
    return status;
  }
  return files.SyncFolder(FolderOf(path));
}

}  // namespace tidemark
