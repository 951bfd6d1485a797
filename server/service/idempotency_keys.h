// The answers of mutating calls under their idempotency keys, so that a call that is repeated after
// a cut or a crash is not done twice. Table `idempotency_keys` of the catalog.
//
// A key is entered before the work begins and gets its answer when the work has succeeded; it goes
// when the work failed. A key without an answer whose server was killed says that the outcome is
// not known. What then happens depends on the method (CanRepeat()): calls whose repetition does no
// harm are carried out again; the others are refused until the caller has looked.
#ifndef TIDEMARK_SERVICE_IDEMPOTENCY_KEYS_H_
#define TIDEMARK_SERVICE_IDEMPOTENCY_KEYS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/clock.h"
#include "service/catalog.h"

namespace tidemark {

inline constexpr absl::Duration kIdempotencyAge = absl::Hours(24);

// Thread-safe.
class IdempotencyKeys {
 public:
  // What a key belongs to. `caller`: a key of one caller says nothing to another.
  struct Key {
    std::string caller;
    std::string key;
    std::string method;
    std::string request_hash;  // raw
  };
  struct Begun {
    bool answered = false;  // `answer` is the first call's: do nothing
    std::string answer;
    bool repeated = false;  // a server that was killed had begun it: it may have happened
  };

  // Creates the table where it is missing; removes what is older than 24 hours.
  static absl::StatusOr<std::unique_ptr<IdempotencyKeys>> Open(Catalog* catalog, Clock* clock);

  // INVALID_ARGUMENT (IDEMPOTENCY_KEY_REUSED): the key belongs to another request. ABORTED: the
  // first call still runs (IDEMPOTENT_CALL_RUNS), or a server was killed during it and it cannot be
  // repeated (OUTCOME_UNKNOWN).
  absl::StatusOr<Begun> Begin(const Key& key);
  // Durable when it returns.
  absl::Status Succeeded(const Key& key, absl::string_view answer);
  absl::Status Failed(const Key& key);

  // Whether carrying the method out a second time leaves what once leaves.
  static bool CanRepeat(absl::string_view method);

 private:
  IdempotencyKeys(Catalog* catalog, Clock* clock, std::string server);

  absl::Status Prune(SqliteConnection& catalog);

  Catalog* const catalog_;
  Clock* const clock_;
  const std::string server_;  // this life of the server: random
};

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_IDEMPOTENCY_KEYS_H_
