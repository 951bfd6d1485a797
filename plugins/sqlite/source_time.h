// Times as SQLite databases keep them: there is no type for them.
#ifndef TIDEMARK_SQLITE_SOURCE_TIME_H_
#define TIDEMARK_SQLITE_SOURCE_TIME_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cursors/time_text.h"
#include "sqlite/row_scan.h"
#include "sqlite/table_definition.h"
#include "tidemark/value.h"

namespace tidemark::sqlite {

// ISO 8601 text ("2024-01-15 10:30:00", CURRENT_TIMESTAMP's form, too); integers and reals: seconds
// since 1970 below 1e11, milliseconds below 1e14, microseconds below 1e17; reals between
// 1721059.5 (year 0) and 5373484.5 (year 9999): Julian days. INVALID_ARGUMENT for anything else;
// REQUIRES: not NULL.
absl::StatusOr<cursors::SourceTime> ReadTime(const Value& value, const cursors::ZoneRule& rule);

// The parts of a table whose time in `column` may be at or after `edge` (InfinitePast: any), each
// in the order of that column; rows before the edge may be among them, as text does not sort like
// time when its forms are mixed. `condition` goes before each. Rows that have no usable time there
// are in none of them: see UntimedRows.
std::vector<ScanRange> TimedRows(const TableDefinition& table, size_t column, absl::Time edge,
                                 absl::string_view condition);

// SQL: whether `column` holds nothing that TimedRows looks at.
std::string UntimedRows(const TableDefinition& table, size_t column);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_SOURCE_TIME_H_
