// What a caller may do: four roles, each of which includes the one below it, and the connections
// they hold for. Pure functions; thread-safe.
#ifndef TIDEMARK_ACCESS_ROLE_H_
#define TIDEMARK_ACCESS_ROLE_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark {

// Ascending. A viewer reads status and reports; an operator also starts, stops and resolves; an
// editor also changes connections and pushes rows; an admin also has tokens, secrets and the audit
// log.
enum class Role { kViewer, kOperator, kEditor, kAdmin };

absl::string_view RoleName(Role role);  // "viewer", ...
// INVALID_ARGUMENT names the four.
absl::StatusOr<Role> ParseRole(absl::string_view text);

// Who calls, after it was proven.
struct Principal {
  enum class Proof { kUnixSocket, kToken, kCertificate };

  std::string name;  // token id, "unix:<uid>" or the subject of a certificate: for logs and audit
  Role role = Role::kViewer;
  std::vector<std::string> connections;  // globs; empty: every connection
  Proof proof = Proof::kToken;
};

absl::string_view ProofName(Principal::Proof proof);  // "unix socket", "token", "certificate"

// The admin behind our own unix socket. REQUIRES: the kernel said so (SO_PEERCRED).
Principal UnixPrincipal(uid_t uid);

// Whether the principal has `needed` or a higher role, wherever it holds: for lists, of which each
// element is asked about with MayUse().
bool HasRole(const Principal& principal, Role needed);
// Whether the principal may do what needs `needed` to `connection`. An empty name stands for the
// server as a whole (tokens, secrets, audit, settings): a principal that is limited to some
// connections never may, whatever its role, for it could give itself the others.
bool MayUse(const Principal& principal, Role needed, absl::string_view connection);

inline constexpr size_t kMaxConnectionGlobs = 64;
inline constexpr size_t kMaxConnectionGlobBytes = 200;

// INVALID_ARGUMENT: too many of them, or one that is empty, too long or no printable text.
absl::Status CheckConnectionGlobs(const std::vector<std::string>& globs);

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_ROLE_H_
