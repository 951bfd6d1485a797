#include "service/connection_rows.h"

#include <utility>

namespace tidemark {

absl::Status CreateConnectionRows(SqliteConnection& catalog) {
  return catalog.Execute(
      "CREATE TABLE connections("
      " name TEXT NOT NULL PRIMARY KEY,"
      " origin INTEGER NOT NULL,"
      " file TEXT NOT NULL,"
      " version INTEGER NOT NULL,"
      " changed_at_us INTEGER NOT NULL,"
      " paused INTEGER NOT NULL,"
      " removed INTEGER NOT NULL"
      ") STRICT, WITHOUT ROWID;"
      "CREATE TABLE connection_versions("
      " name TEXT NOT NULL,"
      " version INTEGER NOT NULL,"
      " stored_at_us INTEGER NOT NULL,"
      " yaml TEXT NOT NULL,"
      " PRIMARY KEY(name, version)"
      ") STRICT");
}

absl::StatusOr<std::vector<StoredConnection>> ReadConnectionRows(SqliteConnection& catalog) {
  absl::StatusOr<SqliteStatement*> query = catalog.Query(
      "SELECT c.name, c.origin, c.file, c.version, c.changed_at_us, c.paused, c.removed, v.yaml"
      " FROM connections c JOIN connection_versions v USING(name, version) ORDER BY c.name");
  if (!query.ok()) return query.status();
  std::vector<StoredConnection> rows;
  while (true) {
    absl::StatusOr<bool> more = catalog.Next(**query);
    if (!more.ok()) return more.status();
    if (!*more) return rows;
    StoredConnection row;
    row.name = (*query)->String(0);
    row.origin = (*query)->Int(1) == static_cast<int>(ConnectionOrigin::kApi)
                     ? ConnectionOrigin::kApi
                     : ConnectionOrigin::kFolder;
    row.file = (*query)->String(2);
    row.version = static_cast<uint64_t>((*query)->Int(3));
    row.changed_at_us = (*query)->Int(4);
    row.paused = (*query)->Int(5) != 0;
    row.removed = (*query)->Int(6) != 0;
    row.yaml = std::make_shared<const std::string>((*query)->String(7));
    rows.push_back(std::move(row));
  }
}

absl::Status WriteConnectionRow(SqliteConnection& catalog, const ConnectionRowChange& change) {
  const StoredConnection& row = change.row;
  absl::Status status = catalog.Run(
      "INSERT OR REPLACE INTO connections"
      "(name, origin, file, version, changed_at_us, paused, removed) VALUES(?,?,?,?,?,?,?)",
      row.name, static_cast<int64_t>(row.origin), row.file, row.version, row.changed_at_us,
      row.paused, row.removed);
  if (!status.ok() || !change.new_version) return status;
  status = catalog.Run(
      "INSERT INTO connection_versions(name, version, stored_at_us, yaml) VALUES(?,?,?,?)",
      row.name, row.version, row.changed_at_us, *row.yaml);
  if (!status.ok()) return status;
  return catalog.Run("DELETE FROM connection_versions WHERE name = ? AND version <= ? - ?",
                     row.name, row.version, kKeptVersions);
}

}  // namespace tidemark
