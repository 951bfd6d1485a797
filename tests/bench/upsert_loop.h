// The baseline of `make bench`: the loop a careful C programmer writes, one prepared upsert, and
// nothing of Tidemark but the generator's rows.
#ifndef TIDEMARK_TESTS_BENCH_UPSERT_LOOP_H_
#define TIDEMARK_TESTS_BENCH_UPSERT_LOOP_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/row_stream.h"

namespace tidemark {

struct UpsertLoopOptions {
  std::string database;  // created when it is not there
  RowChoice rows;
  bool system_columns = true;  // 12 columns as Tidemark's table has them, or the 10 of the source
  uint64_t commit_rows = 10'000;
};

// Writes the rows by INSERT .. ON CONFLICT DO UPDATE, COMMIT every commit_rows, WAL and
// synchronous=FULL, ends with a checkpoint of the WAL. The rows are made on a thread of their own.
absl::Status RunUpsertLoop(const UpsertLoopOptions& options);

// Rows of the table and the BLAKE2b-256 (hex) over the ten source columns of each in key order:
// the ground truth that two contenders wrote the same.
struct TableDigest {
  uint64_t rows = 0;
  std::string digest;
};
absl::StatusOr<TableDigest> DigestTable(const std::string& database);

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_BENCH_UPSERT_LOOP_H_
