// The bookkeeping tables of a state store in PostgreSQL: those of SQLite
// (state/sqlite_state_tables.cc) with PostgreSQL's types.
#ifndef TIDEMARK_STATE_POSTGRES_STATE_TABLES_H_
#define TIDEMARK_STATE_POSTGRES_STATE_TABLES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "state/postgres_session.h"

namespace tidemark {

inline constexpr int64_t kPostgresTablesVersion = 1;

// "name" with its quotes doubled.
std::string QuoteSchema(absl::string_view name);

// Creates what is missing, the schema too, inside the caller's transaction; waits for another
// session that does the same. FAILED_PRECONDITION: a newer engine made them.
absl::Status EnsurePostgresTables(PostgresSession& session, const std::string& schema);

// FAILED_PRECONDITION: a newer engine made the tables. NOT_FOUND: there are none.
absl::Status CheckPostgresTables(PostgresSession& session, const std::string& schema);

}  // namespace tidemark

#endif  // TIDEMARK_STATE_POSTGRES_STATE_TABLES_H_
