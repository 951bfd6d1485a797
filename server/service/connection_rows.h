// The connections of the catalog: one row each, and a row for each version of its definition.
#ifndef TIDEMARK_SERVICE_CONNECTION_ROWS_H_
#define TIDEMARK_SERVICE_CONNECTION_ROWS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "service/connection_entry.h"
#include "state/sqlite_connection.h"

namespace tidemark {

inline constexpr int kKeptVersions = 100;  // of each connection

struct StoredConnection {
  std::string name;
  ConnectionOrigin origin = ConnectionOrigin::kFolder;
  std::string file;  // of the folder: its path; else empty
  uint64_t version = 0;
  int64_t changed_at_us = 0;  // when `version` was stored
  bool paused = false;
  bool removed = false;  // deleted, or its file is gone; the numbers go on from here
  std::shared_ptr<const std::string> yaml;  // of `version`
};

struct ConnectionRowChange {
  StoredConnection row;      // as it is to be
  bool new_version = false;  // `yaml` is stored as version `row.version`
};

// Step 0 of the catalog.
absl::Status CreateConnectionRows(SqliteConnection& catalog);

// All of them, removed ones too, sorted by name.
absl::StatusOr<std::vector<StoredConnection>> ReadConnectionRows(SqliteConnection& catalog);

// Inside a transaction.
absl::Status WriteConnectionRow(SqliteConnection& catalog, const ConnectionRowChange& change);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_CONNECTION_ROWS_H_
