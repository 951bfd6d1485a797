// The pipeline's view of a connector, wherever it runs. Implemented by source/ over gRPC and by
// the tests in memory.
#ifndef TIDEMARK_PIPELINE_CHANGE_SOURCE_H_
#define TIDEMARK_PIPELINE_CHANGE_SOURCE_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "core/change_batch.h"
#include "core/checkpoint.h"
#include "core/dead_letter.h"
#include "core/schema.h"

namespace tidemark {

inline constexpr uint32_t kNoTable = std::numeric_limits<uint32_t>::max();

struct TableDefinition {
  uint32_t index = 0;  // the next free number, or a known one that grew
  TableSchema table;
};
struct TableDone {
  uint32_t table = 0;
  absl::Status status;  // OK: finished
};
struct SourceWarning {
  uint32_t table = kNoTable;
  std::string text;
};
struct FlushRequest {};
struct SourceProgress {
  uint32_t table = kNoTable;
  uint64_t rows_done = 0;
  uint64_t rows_total = 0;  // 0: unknown
  uint64_t bytes_done = 0;
  std::string phase;
};
struct SourceLog {
  int32_t level = 1;  // 0 debug, 1 info, 2 warning, 3 error
  std::string text;
};
struct SourceDeadLetter {
  uint32_t table = kNoTable;
  DeadLetter letter;  // letter.table is filled by the pipeline
};
// The connector's own verdict; always the last event.
struct Finished {
  absl::Status status;  // may carry RetryAfter (core/status_context.h)
  std::vector<TableRows> sent;
};
using SourceEvent =
    std::variant<ChangeBatch, TableDefinition, Checkpoint, SourceDeadLetter, TableDone,
                 SourceWarning, FlushRequest, SourceProgress, SourceLog, Finished>;

enum class SelectionMode : uint8_t { kSkip = 0, kIncremental = 1, kFull = 2 };
struct TableSelection {
  SelectionMode mode = SelectionMode::kIncremental;
  std::vector<bool> columns;  // by column of the definition; empty: all
};

struct UpdateStart {
  std::vector<StateEntry> states;
  std::vector<StateEntry> releasable;
  std::vector<TableSelection> selections;  // by table number
  SelectionMode new_tables = SelectionMode::kIncremental;
  std::string connection;
  std::string sync_id;
  uint64_t epoch = 0;
  uint32_t attempt = 1;
  bool dry_run = false;
  bool continuous = false;
  uint32_t page_rows = 1000;
  int64_t from_us = std::numeric_limits<int64_t>::min();   // Unix microseconds UTC
  int64_t until_us = std::numeric_limits<int64_t>::max();  // Unix microseconds UTC
};

// Rows of one table as they stand at the source now (extension tidemark.read/1). What the modes
// promise stands in connector.proto.
struct ReadStart {
  uint32_t table = 0;  // its number in Schema's answer
  ReadMode mode = kReadWhole;
  // kReadKeys: row-major, the table's key columns in their order; at most kMaxReadKeys keys.
  std::vector<Value> keys;
  uint32_t key_count = 0;                             // kReadKeys
  std::vector<Value> lower;                           // kReadRanges: one key; empty: no bound
  std::vector<Value> upper;                           // kReadRanges: one key; empty: no bound
  uint64_t limit = 0;                                 // kReadRanges: rows at most; 0: all
  std::vector<bool> columns;                          // by column of the table; empty: all
  absl::Duration timeout = absl::InfiniteDuration();  // of the whole read
};
inline constexpr size_t kMaxReadKeys = 10'000;

// One instance of a connector for one attempt of a sync, with its configuration already inside.
// Order of calls: [Check] -> Schema -> Start -> Next* -> Close; Describe and ValidateState any time
// before Start. Or, to read rows beside any sync: Schema -> (StartRead -> Next* until Finished)*.
// Confined to the sync's apply thread, except Cancel. The destructor cancels what still runs and
// leaves no thread, file descriptor or process behind.
//
// Errors of every call name the plugin. Codes of errors that do not come from the connector's own
// verdict (Finished, or the status of Check, Schema, ValidateState):
//   ABORTED             the connector's process died or the connection broke: once more from the
//                       last durable state is worth it
//   DEADLINE_EXCEEDED   a deadline or the stall timeout passed: stop
//   RESOURCE_EXHAUSTED  the process exceeded its memory and was ended: stop
//   DATA_LOSS           malformed messages, or an end without Finished: stop
//   INTERNAL            the plugin misbehaved: stop
//   UNIMPLEMENTED       the peer speaks a newer protocol, or is no connector: stop
//   CANCELLED           Cancel() was called
// All of them carry IsTransportFailure() == true, so that the same code from the connector itself
// (classified by plugin_abi.md, "Errors") is told apart.
class ChangeSource {
 public:
  virtual ~ChangeSource() = default;

  virtual absl::StatusOr<ConnectorDescription> Describe() = 0;
  virtual absl::Status Check() = 0;
  // The index in the result is the table's number.
  virtual absl::StatusOr<std::vector<TableSchema>> Schema() = 0;
  virtual absl::Status ValidateState(absl::Span<const StateEntry> states) = 0;

  // Begins Update. Returns before the first event arrives.
  virtual absl::Status Start(const UpdateStart& start) = 0;

  // Begins to read rows: Next gives the definitions and upserts of the asked table, dead letters,
  // warnings, logs, progress, and at last Finished. The text of the keys is borrowed for this call.
  // A new one after Finished, or before it: then what still runs is cancelled. UNIMPLEMENTED, here
  // or in Finished: the connector does not offer it.
  virtual absl::Status StartRead(const ReadStart& start);

  // The next event in the order of the stream; nullopt when nothing had arrived by `deadline`
  // (absl::InfinitePast(): only what is there already, InfiniteFuture(): wait for ever, still
  // bounded by the stall timeout). At most 4 messages and 4 MiB (or one larger message) wait
  // unread; while they do, the connector is held back by flow control. After Finished no further
  // call but Acknowledge, Close and Cancel.
  virtual absl::StatusOr<std::optional<SourceEvent>> Next(absl::Time deadline) = 0;

  // Invariant I2: called only after the commit that made `acknowledgement.durable` durable. Does
  // not block: acknowledgements coalesce behind one outstanding write.
  virtual void Acknowledge(const Acknowledgement& acknowledgement) = 0;

  // After Finished and the final Acknowledge: half-closes, waits for the status of the call and
  // ends the process. OK when the connector's side ended in order.
  virtual absl::Status Close() = 0;

  // Thread-safe. Makes every blocked and later call return CANCELLED soon; the connector is told,
  // and killed when it does not stop in time.
  virtual void Cancel() = 0;
};

// Makes a fresh instance for one attempt. `stop` semantics: the source obeys Cancel().
using ChangeSourceFactory = std::function<absl::StatusOr<std::unique_ptr<ChangeSource>>()>;

// Marks `status` as a failure of the transport or of the plugin's process (see ChangeSource).
absl::Status AsTransportFailure(absl::Status status);
bool IsTransportFailure(const absl::Status& status);

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_CHANGE_SOURCE_H_
