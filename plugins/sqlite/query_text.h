// The query of a user, made ready for one table.
#ifndef TIDEMARK_SQLITE_QUERY_TEXT_H_
#define TIDEMARK_SQLITE_QUERY_TEXT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark::sqlite {

// What stands in the text outside of quotes and comments. A value; thread-compatible.
struct QueryText {
  std::string sql;           // with the table's name put in, without a last semicolon
  bool names_table = false;  // {table} or the word `table`, which is no name in SQL, stood in it
  bool batched = false;      // :batch_size stands in it
  bool ordered = false;      // ORDER BY stands in it, outside of parentheses
};

// `table`: as SQL writes it. INVALID_ARGUMENT for an unknown :parameter or a quote left open.
absl::StatusOr<QueryText> ReadQuery(absl::string_view text, absl::string_view table);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_QUERY_TEXT_H_
