#include "service/failure_rows.h"

#include <utility>

namespace tidemark {

absl::StatusOr<std::vector<FailureRow>> ReadFailureRows(SqliteConnection& catalog) {
  absl::Status made = catalog.Execute(
      "CREATE TABLE IF NOT EXISTS connection_failures("
      " connection TEXT NOT NULL PRIMARY KEY,"
      " version INTEGER NOT NULL,"
      " failures INTEGER NOT NULL,"
      " again_at_us INTEGER NOT NULL"
      ") STRICT, WITHOUT ROWID");
  if (!made.ok()) return made;
  absl::StatusOr<SqliteStatement*> query = catalog.Query(
      "SELECT connection, version, failures, again_at_us FROM connection_failures"
      " WHERE failures BETWEEN 1 AND 1000000");
  if (!query.ok()) return query.status();
  std::vector<FailureRow> rows;
  while (true) {
    absl::StatusOr<bool> more = catalog.Next(**query);
    if (!more.ok()) return more.status();
    if (!*more) return rows;
    FailureRow row;
    row.connection = (*query)->String(0);
    row.version = static_cast<uint64_t>((*query)->Int(1));
    row.failures = static_cast<int>((*query)->Int(2));
    row.again_at_us = (*query)->Int(3);
    rows.push_back(std::move(row));
  }
}

absl::Status WriteFailureRow(SqliteConnection& catalog, const FailureRow& row) {
  if (row.failures == 0) {
    return catalog.Run("DELETE FROM connection_failures WHERE connection = ?", row.connection);
  }
  return catalog.Run(
      "INSERT OR REPLACE INTO connection_failures(connection, version, failures, again_at_us)"
      " VALUES(?,?,?,?)",
      row.connection, row.version, row.failures, row.again_at_us);
}

}  // namespace tidemark
