// The tokens of a server: who may call it. Table `tokens` of the catalog (token_store.cc).
#ifndef TIDEMARK_ACCESS_TOKEN_STORE_H_
#define TIDEMARK_ACCESS_TOKEN_STORE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "access/role.h"
#include "core/clock.h"
#include "core/mutex.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// A stored token; nothing of its secret.
struct TokenRecord {
  int64_t sequence = 0;  // grows with each token: the position of lists
  std::string id;
  Role role = Role::kViewer;
  std::vector<std::string> connections;  // globs; empty: every connection
  std::string note;
  absl::Time created_at;
  std::optional<absl::Time> expires_at;
  std::optional<absl::Time> revoked_at;
  std::optional<absl::Time> last_used_at;  // to a minute
};

// Thread-safe. The catalog is shared: whoever uses it holds `mutex`.
class TokenStore {
 public:
  struct Request {
    Role role = Role::kViewer;
    std::vector<std::string> connections = {};  // globs; empty: every connection
    std::string note = {};                      // at most 500 bytes of UTF-8
    std::optional<absl::Time> expires_at = {};  // must lie ahead
  };
  struct Created {
    TokenRecord record;
    std::string text;  // the only time that it is known
  };

  // Creates the table where it is missing. All three must outlive the store.
  static absl::StatusOr<std::unique_ptr<TokenStore>> Open(SqliteConnection& catalog, Mutex& mutex,
                                                          Clock& clock);

  // INVALID_ARGUMENT names the field.
  absl::StatusOr<Created> Create(const Request& request);

  // Who presents `text`. UNAUTHENTICATED otherwise: with one text whether the form, the id or the
  // secret is wrong, after the same work; with the reason where the secret is right and the token
  // is expired or revoked. Errors of the catalog pass through.
  absl::StatusOr<Principal> Verify(absl::string_view text);

  // At most `limit` tokens behind `after` (0: from the first), the oldest first; also those that
  // are expired or revoked.
  absl::StatusOr<std::vector<TokenRecord>> List(int64_t after, size_t limit);

  // From now on the token is refused; a second time changes nothing. NOT_FOUND.
  absl::StatusOr<TokenRecord> Revoke(absl::string_view id);

 private:
  TokenStore(SqliteConnection& catalog, Mutex& mutex, Clock& clock);

  absl::Status Touch(const TokenRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Clock& clock_;
  const std::string absent_hash_;  // what a secret is compared with where there is no token
  Mutex& mutex_;
  SqliteConnection* const catalog_ ABSL_PT_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_ACCESS_TOKEN_STORE_H_
