// Checkpoints, state entries and acknowledgements: how far a source has been read and kept.
#ifndef TIDEMARK_CORE_CHECKPOINT_H_
#define TIDEMARK_CORE_CHECKPOINT_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace tidemark {

inline constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

// One entry of a connection's state, as the connector sees it.
struct StateEntry {
  std::string schema;  // schema and table empty: the connection-wide entry
  std::string table;
  std::string body;    // opaque bytes of the connector, at most 10 MiB
  std::string cursor;  // readable high-water mark, UTF-8, may be empty
  uint32_t format = 0;
  uint32_t kind = 0;
  uint64_t version = 0;               // 0: never committed
  int64_t committed_at_us = kNoTime;  // Unix microseconds UTC
  int64_t watermark_us = kNoTime;     // Unix microseconds UTC

  bool connection_wide() const { return table.empty(); }
};

// The key of an entry in _tidemark_state: "" or "table" or "schema.table".
std::string EntryName(const StateEntry& entry);

// Rows of one table counted by somebody; used to prove that nothing was lost on the way.
struct TableRows {
  uint32_t table = 0;  // index in the source's schema
  uint64_t rows = 0;
};

// A connector's statement: everything up to here may be committed with these states.
struct Checkpoint {
  uint64_t id = 0;  // counts up by one within one Update stream, from 1
  std::vector<StateEntry> states;
  std::vector<TableRows> rows_since_last;  // what the connector says it sent since the last one
};

// Cumulative: every checkpoint with id <= durable is committed. A source may forget only what
// lies before a releasable body (Invariant I2).
struct Acknowledgement {
  uint64_t durable = 0;
  uint64_t version = 0;  // of the connection-wide entry as it is durable now; 0: it has none
  std::vector<StateEntry> releasable = {};
};

}  // namespace tidemark

#endif  // TIDEMARK_CORE_CHECKPOINT_H_
