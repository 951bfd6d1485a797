#include "service/idempotency_keys.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "service/call_error.h"

namespace tidemark {
namespace {

constexpr char kTable[] =
    "CREATE TABLE IF NOT EXISTS idempotency_keys("
    "caller TEXT NOT NULL, key TEXT NOT NULL, method TEXT NOT NULL, request_hash BLOB NOT NULL, "
    "server TEXT NOT NULL, begun_at INTEGER NOT NULL, answer BLOB, "
    "PRIMARY KEY(caller, key)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS idempotency_keys_by_age ON idempotency_keys(begun_at);";

absl::Status Refusal(bool killed) {
  if (!killed) {
    return WithReason(
        absl::AbortedError("the first call with this idempotency_key still runs; repeat it later"),
        "IDEMPOTENT_CALL_RUNS");
  }
  return WithReason(
      absl::AbortedError("the server ended during the first call with this idempotency_key, so "
                         "that its outcome is not known; look at what it was to change, and if it "
                         "did not happen, call again with a new key"),
      "OUTCOME_UNKNOWN");
}

}  // namespace

absl::StatusOr<std::unique_ptr<IdempotencyKeys>> IdempotencyKeys::Open(Catalog* catalog,
                                                                       Clock* clock) {
  auto keys = std::unique_ptr<IdempotencyKeys>(new IdempotencyKeys(catalog, clock, RandomHex(16)));
  absl::Status opened = catalog->With([&keys](SqliteConnection& connection) {
    if (absl::Status made = connection.Execute(kTable); !made.ok()) return made;
    return keys->Prune(connection);
  });
  if (!opened.ok()) return opened;
  return keys;
}

IdempotencyKeys::IdempotencyKeys(Catalog* catalog, Clock* clock, std::string server)
    : catalog_(catalog), clock_(clock), server_(std::move(server)) {}

absl::Status IdempotencyKeys::Prune(SqliteConnection& catalog) {
  return catalog.Run("DELETE FROM idempotency_keys WHERE begun_at < ?",
                     absl::ToUnixMicros(clock_->Now() - kIdempotencyAge));
}

absl::StatusOr<IdempotencyKeys::Begun> IdempotencyKeys::Begin(const Key& key) {
  Begun begun;
  absl::Status status = catalog_->Transaction([&](SqliteConnection& catalog) -> absl::Status {
    if (absl::Status pruned = Prune(catalog); !pruned.ok()) return pruned;
    absl::StatusOr<SqliteStatement*> row = catalog.Query(
        "SELECT method, request_hash, server, answer FROM idempotency_keys "
        "WHERE caller = ? AND key = ?",
        key.caller, key.key);
    if (!row.ok()) return row.status();
    absl::StatusOr<bool> found = catalog.Next(**row);
    if (!found.ok()) return found.status();
    if (*found) {
      const bool same = (*row)->Text(0) == key.method && (*row)->Bytes(1) == key.request_hash;
      const bool killed = (*row)->Text(2) != server_;
      begun.answered = !(*row)->IsNull(3);
      begun.answer = std::string((*row)->Bytes(3));
      if (absl::Status ended = catalog.Finish(**row); !ended.ok()) return ended;
      if (!same) {
        return WithReason(BadField("idempotency_key", "belongs to another request"),
                          "IDEMPOTENCY_KEY_REUSED");
      }
      if (begun.answered) return absl::OkStatus();
      if (!killed || !CanRepeat(key.method)) return Refusal(killed);
      begun.repeated = true;
    }
    return catalog.Run(
        "INSERT OR REPLACE INTO idempotency_keys(caller, key, method, request_hash, server, "
        "begun_at, answer) VALUES(?, ?, ?, ?, ?, ?, NULL)",
        key.caller, key.key, key.method, SqliteBlob{key.request_hash}, server_,
        absl::ToUnixMicros(clock_->Now()));
  });
  if (!status.ok()) return status;
  return begun;
}

absl::Status IdempotencyKeys::Succeeded(const Key& key, absl::string_view answer) {
  return catalog_->With([&](SqliteConnection& catalog) {
    return catalog.Run("UPDATE idempotency_keys SET answer = ? WHERE caller = ? AND key = ?",
                       SqliteBlob{answer}, key.caller, key.key);
  });
}

absl::Status IdempotencyKeys::Failed(const Key& key) {
  return catalog_->With([&](SqliteConnection& catalog) {
    return catalog.Run("DELETE FROM idempotency_keys WHERE caller = ? AND key = ?", key.caller,
                       key.key);
  });
}

bool IdempotencyKeys::CanRepeat(absl::string_view method) {
  // A definition, a pause, a discarded or edited letter are what the request says, however often. A
  // sync or a backup more is harmless (Invariant I4). What moves a state is not: a sync may have
  // gone on from it meanwhile.
  for (const char* name :
       {"ApplyConnection", "DeleteConnection", "PauseConnection", "ResumeConnection", "StartSync",
        "StopSync", "BackupState", "EditDeadLetter", "DiscardDeadLetters"}) {
    if (method == absl::StrCat("/tidemark.v1.Control/", name)) return true;
  }
  return false;
}

}  // namespace tidemark
