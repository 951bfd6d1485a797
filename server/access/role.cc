#include "access/role.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/glob.h"

namespace tidemark {
namespace {

constexpr std::array<absl::string_view, 4> kRoleNames = {"viewer", "operator", "editor", "admin"};

}  // namespace

absl::string_view RoleName(Role role) { return kRoleNames[static_cast<size_t>(role)]; }

absl::StatusOr<Role> ParseRole(absl::string_view text) {
  for (size_t i = 0; i < kRoleNames.size(); ++i) {
    if (text == kRoleNames[i]) return static_cast<Role>(i);
  }
  return absl::InvalidArgumentError(absl::StrCat("there is no role \"",
                                                 absl::string_view(text).substr(0, 40),
                                                 "\"; write viewer, operator, editor or admin"));
}

absl::string_view ProofName(Principal::Proof proof) {
  switch (proof) {
    case Principal::Proof::kUnixSocket:
      return "unix socket";
    case Principal::Proof::kToken:
      return "token";
    case Principal::Proof::kCertificate:
      return "certificate";
  }
  return "unknown";
}

Principal UnixPrincipal(uid_t uid) {
  Principal principal;
  principal.name = absl::StrCat("unix:", uid);
  principal.role = Role::kAdmin;
  principal.proof = Principal::Proof::kUnixSocket;
  return principal;
}

bool HasRole(const Principal& principal, Role needed) { return principal.role >= needed; }

bool MayUse(const Principal& principal, Role needed, absl::string_view connection) {
  if (!HasRole(principal, needed)) return false;
  if (principal.connections.empty()) return true;
  if (connection.empty()) return false;
  return std::any_of(
      principal.connections.begin(), principal.connections.end(),
      [connection](const std::string& glob) { return GlobMatches(glob, connection); });
}

absl::Status CheckConnectionGlobs(const std::vector<std::string>& globs) {
  if (globs.size() > kMaxConnectionGlobs) {
    return absl::InvalidArgumentError(absl::StrCat(
        "connections: ", globs.size(), " names or globs, at most ", kMaxConnectionGlobs));
  }
  for (size_t i = 0; i < globs.size(); ++i) {
    const std::string& glob = globs[i];
    const absl::string_view problem =
        glob.empty()                            ? "is empty; leave it out, or write *"
        : glob.size() > kMaxConnectionGlobBytes ? "is longer than 200 bytes"
        : !std::all_of(glob.begin(), glob.end(),
                       [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); })
            ? "holds a blank or a byte that is no printable ASCII character"
            : "";
    if (!problem.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("connections[", i, "] ", problem));
    }
  }
  return absl::OkStatus();
}

}  // namespace tidemark
