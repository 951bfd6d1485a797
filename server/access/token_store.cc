// tokens: one row per token, never removed, so that an id in an old audit entry has its row.
// secret_hash is BLAKE2b-256 of the secret part (32 raw bytes); connections are globs, one a line;
// times are Unix microseconds UTC, NULL where there is none.
#include "access/token_store.h"

#include <sodium.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "access/token.h"
#include "core/text.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

constexpr char kTokenTables[] = R"sql(
CREATE TABLE IF NOT EXISTS tokens(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  secret_hash BLOB NOT NULL,
  role TEXT NOT NULL,
  connections TEXT NOT NULL,
  note TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  last_used_at INTEGER
) STRICT;
)sql";

constexpr char kSelect[] =
    "SELECT sequence, id, secret_hash, role, connections, note, created_at, expires_at, "
    "revoked_at, last_used_at FROM tokens ";

constexpr absl::Duration kTouchEvery = absl::Minutes(1);
constexpr size_t kMaxNoteBytes = 500;
constexpr char kNotValid[] =
    "the token is not valid; check what was copied, or ask an administrator of this server for a "
    "new one";

struct Row {
  TokenRecord record;
  std::string secret_hash;
  std::string role;
};

std::optional<absl::Time> TimeOf(const SqliteStatement& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return absl::FromUnixMicros(row.Int(column));
}

std::optional<int64_t> MicrosOf(const std::optional<absl::Time>& time) {
  if (!time.has_value()) return std::nullopt;
  return absl::ToUnixMicros(*time);
}

Row ReadRow(const SqliteStatement& row) {
  Row read;
  read.record.sequence = row.Int(0);
  read.record.id = row.String(1);
  read.secret_hash = std::string(row.Bytes(2));
  read.role = row.String(3);
  read.record.connections = absl::StrSplit(row.Text(4), '\n', absl::SkipEmpty());
  read.record.note = row.String(5);
  read.record.created_at = absl::FromUnixMicros(row.Int(6));
  read.record.expires_at = TimeOf(row, 7);
  read.record.revoked_at = TimeOf(row, 8);
  read.record.last_used_at = TimeOf(row, 9);
  return read;
}

// A role that nobody wrote is no lower or higher role: the token is not to be used.
absl::Status ResolveRole(const SqliteConnection& catalog, Row* row) {
  const absl::StatusOr<Role> role = ParseRole(row->role);
  if (!role.ok()) {
    return absl::DataLossError(absl::StrCat(catalog.path(), ": token ", row->record.id,
                                            " has an unknown role; revoke it and make a new one"));
  }
  row->record.role = *role;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Row>> Find(SqliteConnection& catalog, const std::string& id) {
  absl::StatusOr<SqliteStatement*> found = catalog.Query(absl::StrCat(kSelect, "WHERE id = ?"), id);
  if (!found.ok()) return found.status();
  const absl::StatusOr<bool> next = catalog.Next(**found);
  if (!next.ok()) return next.status();
  std::optional<Row> row;
  if (*next) row = ReadRow(**found);
  (*found)->Reset();
  return row;
}

}  // namespace

TokenStore::TokenStore(SqliteConnection& catalog, Mutex& mutex, Clock& clock)
    : clock_(clock),
      absent_hash_(TokenSecretHash(NewToken().secret)),
      mutex_(mutex),
      catalog_(&catalog) {}

absl::StatusOr<std::unique_ptr<TokenStore>> TokenStore::Open(SqliteConnection& catalog,
                                                             Mutex& mutex, Clock& clock) {
  if (sodium_init() < 0) return absl::InternalError("libsodium cannot be initialised");
  MutexLock lock(mutex);
  if (absl::Status s = catalog.Execute(kTokenTables); !s.ok()) return s;
  return std::unique_ptr<TokenStore>(new TokenStore(catalog, mutex, clock));
}

absl::StatusOr<TokenStore::Created> TokenStore::Create(const Request& request) {
  if (absl::Status s = CheckConnectionGlobs(request.connections); !s.ok()) return s;
  if (request.note.size() > kMaxNoteBytes || !IsUtf8(request.note) || HasNul(request.note)) {
    return absl::InvalidArgumentError(
        absl::StrCat("note: more than ", kMaxNoteBytes, " bytes, or no UTF-8 text"));
  }
  const absl::Time now = absl::FromUnixMicros(absl::ToUnixMicros(clock_.Now()));
  if (request.expires_at.has_value() && *request.expires_at <= now) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expires_at: ", FormatReportTime(*request.expires_at), " is past; choose a time ahead"));
  }
  const TokenParts parts = NewToken();
  Created created;
  created.text = parts.Text();
  created.record.id = parts.id;
  created.record.role = request.role;
  created.record.connections = request.connections;
  created.record.note = request.note;
  created.record.created_at = now;
  created.record.expires_at = request.expires_at;
  const std::string hash = TokenSecretHash(parts.secret);

  MutexLock lock(mutex_);
  absl::Status stored = catalog_->Run(
      "INSERT INTO tokens(id, secret_hash, role, connections, note, created_at, expires_at) "
      "VALUES(?, ?, ?, ?, ?, ?, ?)",
      created.record.id, SqliteBlob{hash}, RoleName(request.role),
      absl::StrJoin(request.connections, "\n"), request.note, absl::ToUnixMicros(now),
      MicrosOf(request.expires_at));
  if (!stored.ok()) return stored;
  created.record.sequence = sqlite3_last_insert_rowid(catalog_->db());
  return created;
}

absl::StatusOr<Principal> TokenStore::Verify(absl::string_view text) {
  // Whatever is wrong with `text`, the same is done: one digest, one look-up, one comparison.
  const std::optional<TokenParts> parsed = ParseToken(text);
  const TokenParts absent{std::string(kTokenIdLength, '-'), std::string(kTokenSecretLength, '-')};
  const TokenParts& presented = parsed.has_value() ? *parsed : absent;
  const std::string hash = TokenSecretHash(presented.secret);

  MutexLock lock(mutex_);
  absl::StatusOr<std::optional<Row>> found = Find(*catalog_, presented.id);
  if (!found.ok()) return found.status();
  const bool equal = SecretsEqual(hash, found->has_value() ? (*found)->secret_hash : absent_hash_);
  if (!equal || !found->has_value() || !parsed.has_value()) {
    return absl::UnauthenticatedError(kNotValid);
  }
  Row& row = **found;
  const TokenRecord& record = row.record;
  if (record.revoked_at.has_value()) {
    return absl::UnauthenticatedError(
        absl::StrCat("token ", record.id, " was revoked at ", FormatReportTime(*record.revoked_at),
                     "; ask an administrator of this server for a new one"));
  }
  if (record.expires_at.has_value() && clock_.Now() >= *record.expires_at) {
    return absl::UnauthenticatedError(
        absl::StrCat("token ", record.id, " expired at ", FormatReportTime(*record.expires_at),
                     "; ask an administrator of this server for a new one"));
  }
  if (absl::Status s = ResolveRole(*catalog_, &row); !s.ok()) return s;
  // Who may call is known; that the time of use cannot be written (a full disk) changes nothing.
  Touch(record).IgnoreError();
  Principal principal;
  principal.name = record.id;
  principal.role = record.role;
  principal.connections = record.connections;
  principal.proof = Principal::Proof::kToken;
  return principal;
}

absl::Status TokenStore::Touch(const TokenRecord& record) {
  const absl::Time now = clock_.Now();
  if (record.last_used_at.has_value() &&
      absl::AbsDuration(now - *record.last_used_at) < kTouchEvery) {
    return absl::OkStatus();
  }
  return catalog_->Run("UPDATE tokens SET last_used_at = ? WHERE id = ?", absl::ToUnixMicros(now),
                       record.id);
}

absl::StatusOr<std::vector<TokenRecord>> TokenStore::List(int64_t after, size_t limit) {
  std::vector<TokenRecord> records;
  MutexLock lock(mutex_);
  absl::StatusOr<SqliteStatement*> rows =
      catalog_->Query(absl::StrCat(kSelect, "WHERE sequence > ? ORDER BY sequence LIMIT ?"), after,
                      static_cast<int64_t>(limit));
  if (!rows.ok()) return rows.status();
  while (true) {
    const absl::StatusOr<bool> next = catalog_->Next(**rows);
    if (!next.ok()) return next.status();
    if (!*next) return records;
    Row row = ReadRow(**rows);
    absl::Status role = ResolveRole(*catalog_, &row);
    if (!role.ok() && !row.record.revoked_at.has_value()) {
      (*rows)->Reset();
      return role;
    }
    records.push_back(std::move(row.record));
  }
}

absl::StatusOr<TokenRecord> TokenStore::Revoke(absl::string_view id) {
  const std::string key(id);
  MutexLock lock(mutex_);
  absl::Status revoked =
      catalog_->Run("UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
                    absl::ToUnixMicros(clock_.Now()), key);
  if (!revoked.ok()) return revoked;
  absl::StatusOr<std::optional<Row>> found = Find(*catalog_, key);
  if (!found.ok()) return found.status();
  if (!found->has_value()) {
    return absl::NotFoundError("there is no token of this id; list them for theirs");
  }
  // Also one whose role is damaged can be revoked.
  ResolveRole(*catalog_, &**found).IgnoreError();
  return (*found)->record;
}

}  // namespace tidemark
