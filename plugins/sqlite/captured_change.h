// One row of the change table.
#ifndef TIDEMARK_SQLITE_CAPTURED_CHANGE_H_
#define TIDEMARK_SQLITE_CAPTURED_CHANGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sqlite/database.h"
#include "sqlite/table_definition.h"

namespace tidemark::sqlite {

// A value. Rows are in the order of the table's columns, or empty.
struct CapturedChange {
  int64_t seq = 0;
  absl::Time time;
  char op = ' ';
  std::vector<Cell> key;  // of the old row
  std::vector<Cell> old_row;
  std::vector<Cell> new_row;
  std::string mark;  // a digest that tells it from another change of the same number

  // From columns seq, ts, op, pk, old, new. INVALID_ARGUMENT if it does not fit the table.
  static absl::StatusOr<CapturedChange> Read(const Statement& row, const TableDefinition& table);
  static std::string MarkOf(const Statement& row);
};

// The values of cells, which they borrow.
std::vector<Value> ValuesOf(const std::vector<Cell>& cells);

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_CAPTURED_CHANGE_H_
