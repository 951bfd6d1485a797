#include "control/storage_address.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "control/outer_storage.h"
#include "state/server_url.h"

namespace tidemark {
namespace {

bool IsPostgres(absl::string_view text) {
  return absl::StartsWithIgnoreCase(text, "postgres://") ||
         absl::StartsWithIgnoreCase(text, "postgresql://");
}

bool IsRedis(absl::string_view text) {
  return absl::StartsWithIgnoreCase(text, "redis://") ||
         absl::StartsWithIgnoreCase(text, "rediss://") || absl::StartsWith(text, "unix:");
}

StorageKind KindOf(const std::string& type, absl::string_view text) {
  if (type == "postgres") return StorageKind::kPostgres;
  if (type == "redis") return StorageKind::kRedis;
  if (type == "file") return StorageKind::kFile;
  if (type == "sqlite") return StorageKind::kSqlite;
  if (IsPostgres(text)) return StorageKind::kPostgres;
  return IsRedis(text) ? StorageKind::kRedis : StorageKind::kSqlite;
}

}  // namespace

absl::string_view StorageKindName(StorageKind kind) {
  switch (kind) {
    case StorageKind::kDestination:
      return "destination";
    case StorageKind::kSqlite:
      return "sqlite";
    case StorageKind::kFile:
      return "file";
    case StorageKind::kPostgres:
      return "postgres";
    case StorageKind::kRedis:
      return "redis";
  }
  return "destination";
}

std::vector<std::string> StorageSecrets(const StorageSettings& storage) {
  const std::string& address = storage.address;
  const bool unix = absl::StartsWith(address, "unix:");
  const size_t query = address.find('?');
  const std::string text =
      unix ? absl::StrCat("unix://socket", query == std::string::npos ? "" : address.substr(query))
           : address;
  std::vector<std::string> secrets;
  if (absl::StatusOr<ServerUrl> url = ParseServerUrl(text); url.ok()) {
    if (!url->password.empty()) secrets.push_back(url->password);
    const auto option = url->query.find("password");
    if (option != url->query.end()) secrets.push_back(option->second);
  } else if (const size_t word = address.find("password"); word != std::string::npos) {
    // libpq's words: password = 'value with blanks' or password=value.
    std::string value = address.substr(word + 8);
    value.erase(0, value.find_first_not_of(" ="));
    const bool quoted = !value.empty() && value[0] == '\'';
    secrets.push_back(quoted ? value.substr(1, value.find('\'', 1) - 1)
                             : value.substr(0, value.find(' ')));
  }
  if (!secrets.empty()) secrets.push_back(address);
  return secrets;
}

std::string ReadStorageAddress(const std::string& type, const std::string& text,
                               const std::string& folder, const std::string& destination,
                               StorageSettings* storage) {
  storage->kind = KindOf(type, text);
  if (storage->kind == StorageKind::kPostgres || storage->kind == StorageKind::kRedis) {
    const bool other = storage->kind == StorageKind::kPostgres ? IsRedis(text) : IsPostgres(text);
    if (other) return absl::StrCat("this is no address for type ", type);
    storage->address = text;
    const absl::Status status = CheckStorageAddress(*storage);
    return std::string(status.message());
  }
  const bool file = storage->kind == StorageKind::kFile;
  absl::string_view path = text;
  if (absl::ConsumePrefix(&path, "sqlite:") || absl::ConsumePrefix(&path, "file:")) {
    if (absl::StartsWith(path, "///")) path.remove_prefix(2);
  }
  if (IsRedis(path) || absl::StrContains(path, "://")) {
    return absl::StrCat("type ", type, " wants the path of a ", file ? "folder" : "file",
                        ", this is the address of a server");
  }
  storage->path = absl::StartsWith(path, "/") ? std::string(path) : absl::StrCat(folder, "/", path);
  if (storage->path == destination) {
    return "this is the destination, which keeps the state in any case: leave state.storage out";
  }
  return "";
}

}  // namespace tidemark
