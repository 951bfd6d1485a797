// The change table and the triggers that fill it, in the source database.
#ifndef TIDEMARK_SQLITE_CHANGE_CAPTURE_H_
#define TIDEMARK_SQLITE_CHANGE_CAPTURE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sqlite/database.h"
#include "sqlite/table_definition.h"

namespace tidemark::sqlite {

// _tidemark_changes(seq, ts, tbl, op, pk, old, new): one row for each change, in the order of
// commits, as SQLite has one writer at a time. op: c created, u updated, d deleted, m maybe
// deleted: REPLACE removes rows that stand in its way without telling their triggers, so what may
// have been removed is noted before. pk: JSON list, of the old row; old, new: the row as JSON
// object by column, in lists of objects where a table has more than 60 columns; values as in
// cell.h. old is there for tables without a key. _tidemark_capture(tbl, id, pruned): id is another
// one whenever the triggers of a table are made anew, that is when changes may have gone by
// unnoticed; pruned is the last seq that was taken out of the change table, by whomever.
// _tidemark_consumers(consumer, tbl, seq): what lies before seq, this connection does not need.
class ChangeCapture {
 public:
  struct Place {
    bool installed = false;  // the triggers are there as they should be, and the consumer is known
    std::string id;          // empty: never installed
    int64_t pruned = 0;
    int64_t last = 0;  // the newest seq of all tables
  };

  // `consumer`: the connection's name. Borrows the table.
  ChangeCapture(const TableDefinition* table, std::string consumer);

  absl::StatusOr<Place> Look(Database& database) const;
  // Makes what is missing, in one transaction. Changes up to `seen` are known to this consumer.
  absl::Status Install(Database& writer, int64_t seen) const;
  // Notes that this consumer needs nothing before `seq`, and removes what no consumer needs, a
  // slice for each transaction.
  absl::Status Release(Database& writer, int64_t seq) const;

 private:
  absl::StatusOr<std::vector<std::string>> TriggersFor(Database& database) const;
  absl::StatusOr<std::vector<std::string>> ConflictConditions(Database& database) const;
  std::string RowJson(absl::string_view prefix) const;
  std::string KeyJson(absl::string_view prefix) const;
  bool keeps_old() const { return table_.key.empty(); }

  const TableDefinition& table_;
  const std::string consumer_;
};

}  // namespace tidemark::sqlite

#endif  // TIDEMARK_SQLITE_CHANGE_CAPTURE_H_
