#include "state/file_checks.h"

#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace tidemark {
namespace {

// linux/magic.h and the kernel's filesystem sources, by name.
constexpr std::array<std::pair<int64_t, absl::string_view>, 13> kNetworkFilesystems = {{
    {0x6969, "NFS"},
    {0x517B, "SMB"},
    {0xFF534D42, "CIFS"},
    {0xFE534D42, "SMB2"},
    {0x01021997, "9P"},
    {0x5346414F, "AFS"},
    {0x73757245, "Coda"},
    {0x564C, "NCP"},
    {0x00C36400, "Ceph"},
    {0x0BD00BD0, "Lustre"},
    {0x47504653, "GPFS"},
    {0x7461636F, "OCFS2"},
    {0x01161970, "GFS2"},
}};

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool ReadOnly(const std::string& path, const struct stat& found) {
  return (found.st_mode & 0222) == 0 || access(path.c_str(), W_OK) != 0;
}

}  // namespace

std::optional<int64_t> FilesystemTypeOf(const std::string& path) {
  struct statfs found = {};
  if (statfs(path.c_str(), &found) != 0) return std::nullopt;
  return static_cast<int64_t>(found.f_type) & 0xFFFFFFFF;
}

absl::Status CheckLocalFilesystem(const std::string& path, const FilesystemType& type) {
  const std::string folder = FolderOf(path);
  const std::optional<int64_t> found = type(folder);
  if (!found.has_value()) return absl::OkStatus();
  for (const auto& [number, name] : kNetworkFilesystems) {
    if (number != *found) continue;
    return absl::FailedPreconditionError(
        absl::StrCat(path, " lies on a network filesystem (", name,
                     "), where SQLite's locks and shared memory "
                     "cannot be trusted; put the database on a local disk"));
  }
  return absl::OkStatus();
}

absl::Status CheckWritable(const std::string& path) {
  if (path.empty() || path[0] == ':' || absl::StartsWith(path, "file:")) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", path,
                     "\" is no path of a database file; in-memory databases and URIs "
                     "keep no state, give a path such as ./warehouse.db"));
  }
  const std::string folder = FolderOf(path);
  struct stat found = {};
  if (stat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) {
    return absl::NotFoundError(
        absl::StrCat("the folder ", folder, " of ", path, " does not exist; create it"));
  }
  if (ReadOnly(folder, found)) {
    return absl::PermissionDeniedError(
        absl::StrCat("the folder ", folder, " is read-only, but SQLite keeps its log beside ", path,
                     "; make the folder writable for this user"));
  }
  if (stat(path.c_str(), &found) != 0) return absl::OkStatus();
  if (!S_ISREG(found.st_mode)) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " is not a regular file; choose another path"));
  }
  if (ReadOnly(path, found)) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, " is read-only; make the file writable for this user (chmod u+w)"));
  }
  return absl::OkStatus();
}

}  // namespace tidemark
