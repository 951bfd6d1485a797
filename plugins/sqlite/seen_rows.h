// Rows that were delivered and will be read again, as states hold them.
#ifndef TIDEMARK_SQLITE_SEEN_ROWS_H_
#define TIDEMARK_SQLITE_SEEN_ROWS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cursors/boundary_rows.h"
#include "nlohmann/json.hpp"
#include "tidemark/value.h"

namespace tidemark::sqlite {

// The digest of a row, key and all.
std::string DigestOf(const std::vector<Value>& row);

// [[digest, microseconds since 1970], ..]; null instead of a number: without a place in time.
nlohmann::json ToJson(const cursors::BoundaryRows& rows);
// Nothing if `json` is no such list.
std::optional<cursors::BoundaryRows> SeenFromJson(const nlohmann::json& json);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_SEEN_ROWS_H_
