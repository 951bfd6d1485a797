// Rows pushed through Ingest into a SQLite file: client and server in one process, a unix socket
// between them.
#ifndef TIDEMARK_TESTS_BENCH_INGEST_PUSH_H_
#define TIDEMARK_TESTS_BENCH_INGEST_PUSH_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace tidemark {

struct PushResult {
  uint64_t rows = 0;       // durable
  absl::Duration elapsed;  // from the first message to the last acknowledgement
};

// The generator's rows, as `tidemark run` of it writes them, into table `rows` of
// `folder`/bench.db. `readable`: as Rows instead of packed RowBatches.
absl::StatusOr<PushResult> PushRows(const std::string& folder, uint64_t rows, bool readable);

}  // namespace tidemark

#endif  // TIDEMARK_TESTS_BENCH_INGEST_PUSH_H_
