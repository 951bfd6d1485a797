// Rows as they stand now, for verification and repair (extension tidemark.read/1).
#ifndef TIDEMARK_SQLITE_ROW_READING_H_
#define TIDEMARK_SQLITE_ROW_READING_H_

#include <cstdint>

#include "absl/status/status.h"
#include "sqlite/database.h"
#include "sqlite/table_definition.h"
#include "tidemark/row_reader.h"

namespace tidemark::sqlite {

// Every table can be read as a whole. By keys, where SQLite finds a key whatever kind the
// destination keeps it in. By ranges, where the key can hold one kind of value only, so that
// SQLite's order is that of read_abi.h.
uint32_t ModesOf(const TableDefinition& table);

absl::Status ReadRowsNow(Database& database, const TableDefinition& table,
                         const ReadRequest& request, Sink& sink);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_ROW_READING_H_
