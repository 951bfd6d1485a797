// Connections that failed in a row, in the catalog: so that a restart closes no circuit breaker.
#ifndef TIDEMARK_SERVICE_FAILURE_ROWS_H_
#define TIDEMARK_SERVICE_FAILURE_ROWS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "state/sqlite_connection.h"

namespace tidemark {

struct FailureRow {
  std::string connection;
  uint64_t version = 0;     // of the definition that failed
  int failures = 0;         // in a row; 0: it did not fail, and has no row
  int64_t again_at_us = 0;  // when it is tried again; 0: not by itself

  bool operator==(const FailureRow&) const = default;
};

// Makes the table where it is missing.
absl::StatusOr<std::vector<FailureRow>> ReadFailureRows(SqliteConnection& catalog);
// Within a transaction.
absl::Status WriteFailureRow(SqliteConnection& catalog, const FailureRow& row);

}  // namespace tidemark

#endif  // TIDEMARK_SERVICE_FAILURE_ROWS_H_
