// How names and types are written in SQLite's SQL (semantics.md section 2 for SQLite).
#ifndef TIDEMARK_DESTINATION_SQLITE_DIALECT_H_
#define TIDEMARK_DESTINATION_SQLITE_DIALECT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/type.h"
#include "destination/destination.h"
#include "state/sqlite_connection.h"

namespace tidemark {

// The only way a name enters SQL text. REQUIRES: no NUL byte (CheckName).
std::string QuoteIdentifier(absl::string_view name);
// A text literal.
std::string QuoteText(absl::string_view text);

// INTEGER, REAL, TEXT or BLOB: how values of the type are stored. REQUIRES: not kUndeclared.
absl::string_view StorageName(DataType type);

// Registers the SQL function that widening uses: tidemark_double_decimal(REAL) gives the shortest
// text that reads back to the same double, without exponent, as the pipeline writes it.
absl::Status RegisterFunctions(SqliteConnection& connection);

// SQL that turns the stored value `column` (quoted) of type `from` into the storage of `to`
// without loss. REQUIRES: StorageName differs, or from is kBoolean.
std::string ConversionSql(absl::string_view column, DataType from, DataType to);
// True when stored values of `from` must be rewritten to stand in a column of type `to`.
bool NeedsConversion(DataType from, DataType to);

// INVALID_ARGUMENT for names SQLite or the bookkeeping cannot take.
absl::Status CheckTarget(const TargetTable& table);

}  // namespace tidemark

#endif  // TIDEMARK_DESTINATION_SQLITE_DIALECT_H_
