// Every time is BIGINT, Unix microseconds UTC, NULL where it is not known; expires_at is of the
// database's clock. Hashes are BYTEA of 32 raw bytes. $S stands for the quoted schema.
#include "state/postgres_state_tables.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace tidemark {
namespace {

// Any number, the same in every engine: of the lock that makers of these tables take.
constexpr char kMakersLock[] = "SELECT pg_advisory_xact_lock(7598235103312654)";

constexpr char kTables[] = R"sql(
CREATE TABLE IF NOT EXISTS $S._tidemark_meta(schema_version BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS $S._tidemark_connections(
  connection TEXT NOT NULL PRIMARY KEY,
  epoch BIGINT NOT NULL,
  holder TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  pid BIGINT NOT NULL,
  pid_start BIGINT NOT NULL,
  acquired_at BIGINT NOT NULL,
  expires_at BIGINT,
  last_synced BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS $S._tidemark_state(
  connection TEXT NOT NULL,
  entry TEXT NOT NULL,
  source_schema TEXT NOT NULL,
  source_table TEXT NOT NULL,
  version BIGINT NOT NULL,
  chain BYTEA NOT NULL,
  anchor BYTEA NOT NULL,
  PRIMARY KEY(connection, entry)
);
CREATE TABLE IF NOT EXISTS $S._tidemark_state_history(
  connection TEXT NOT NULL,
  entry TEXT NOT NULL,
  version BIGINT NOT NULL,
  parent BIGINT NOT NULL,
  epoch BIGINT NOT NULL,
  kind TEXT NOT NULL,
  format BIGINT NOT NULL,
  body_hash BYTEA NOT NULL,
  prev_chain BYTEA NOT NULL,
  chain BYTEA NOT NULL,
  sync_id TEXT NOT NULL,
  group_id TEXT NOT NULL,
  inserted BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  deleted BIGINT NOT NULL,
  unchanged BIGINT NOT NULL,
  superseded BIGINT NOT NULL,
  missing BIGINT NOT NULL,
  conflict BIGINT NOT NULL,
  late_queue BIGINT NOT NULL,
  dead_letter BIGINT NOT NULL,
  deleted_by_truncate BIGINT NOT NULL,
  duplicates_collapsed BIGINT NOT NULL,
  cursor_max TEXT NOT NULL,
  watermark BIGINT,
  created_at BIGINT NOT NULL,
  engine TEXT NOT NULL,
  PRIMARY KEY(connection, entry, version)
);
CREATE INDEX IF NOT EXISTS _tidemark_state_history_body
  ON $S._tidemark_state_history(connection, entry, body_hash);
CREATE TABLE IF NOT EXISTS $S._tidemark_state_bodies(
  connection TEXT NOT NULL,
  entry TEXT NOT NULL,
  body_hash BYTEA NOT NULL,
  body BYTEA NOT NULL,
  PRIMARY KEY(connection, entry, body_hash)
);
CREATE TABLE IF NOT EXISTS $S._tidemark_state_damaged(
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  LIKE $S._tidemark_state_history,
  body BYTEA,
  repaired_by BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS $S._tidemark_audit(
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  connection TEXT NOT NULL,
  at BIGINT NOT NULL,
  action TEXT NOT NULL,
  entry TEXT NOT NULL,
  holder TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS _tidemark_audit_connection ON $S._tidemark_audit(connection, id);
)sql";

absl::StatusOr<int64_t> MetaVersion(PostgresSession& session, const std::string& quoted) {
  absl::StatusOr<PostgresRows> rows =
      session.Run(absl::StrCat("SELECT max(schema_version) FROM ", quoted, "._tidemark_meta"));
  if (!rows.ok()) return rows.status();
  const int64_t version = rows->Int(0, 0);
  if (version <= kPostgresTablesVersion) return version;
  return absl::FailedPreconditionError(absl::StrCat(
      "the tables in schema ", quoted, " of ", session.Describe(),
      " were written by a newer engine (bookkeeping version ", version, ", this one knows ",
      kPostgresTablesVersion, "); install that engine or a newer one"));
}

}  // namespace

std::string QuoteSchema(absl::string_view name) {
  return absl::StrCat("\"", absl::StrReplaceAll(name, {{"\"", "\"\""}}), "\"");
}

absl::Status EnsurePostgresTables(PostgresSession& session, const std::string& schema) {
  const std::string quoted = QuoteSchema(schema);
  absl::StatusOr<PostgresRows> there = session.Run(
      "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = $1), (SELECT count(*) FROM "
      "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND "
      "c.relname IN ('_tidemark_meta', '_tidemark_connections', '_tidemark_state', "
      "'_tidemark_state_history', '_tidemark_state_bodies', '_tidemark_state_damaged', "
      "'_tidemark_audit'))",
      PostgresParameters().Text(schema));
  if (!there.ok()) return there.status();
  if (there->Int(0, 1) < 7) {
    if (absl::Status s = session.Execute(kMakersLock); !s.ok()) return s;
    if (there->Int(0, 0) == 0) {
      absl::Status made = session.Execute(absl::StrCat("CREATE SCHEMA IF NOT EXISTS ", quoted));
      if (!made.ok()) return made;
    }
    absl::Status made = session.Execute(absl::StrReplaceAll(kTables, {{"$S", quoted}}));
    if (!made.ok()) return made;
  }
  absl::StatusOr<int64_t> version = MetaVersion(session, quoted);
  if (!version.ok() || *version > 0) return version.status();
  return session.Execute(
      absl::StrCat("INSERT INTO ", quoted, "._tidemark_meta VALUES(", kPostgresTablesVersion, ")"));
}

absl::Status CheckPostgresTables(PostgresSession& session, const std::string& schema) {
  return MetaVersion(session, QuoteSchema(schema)).status();
}

}  // namespace tidemark
