// Where Update() puts its changes.
#ifndef TIDEMARK_SINK_H_
#define TIDEMARK_SINK_H_

#include <time.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "tidemark/host.h"
#include "tidemark/plugin_abi.h"
#include "tidemark/row_buffer.h"
#include "tidemark/schema.h"
#include "tidemark/status.h"
#include "tidemark/table_set.h"
#include "tidemark/update_request.h"
#include "tidemark/value.h"

namespace tidemark {
inline namespace sdk_v1 {

// A table found once, for rows given by position. Valid as long as the connector.
class TableRef {
 public:
  const Table& table() const { return buffer_->table(); }

 private:
  friend class Sink;
  explicit TableRef(internal::RowBuffer* buffer) : buffer_(buffer) {}
  internal::RowBuffer* buffer_;
};

// What may be said of a row beside its values. Cell is Field for rows by name and Value for rows by
// position.
template <typename Cell>
struct RowOptions {
  // The old key of an update that changes the key; the full old row of an update or delete on a
  // table without a key. Columns left out: old value not known. An update that gives every column
  // is written even where no row has the old key; one that leaves columns out is not.
  absl::Span<const Cell> before = {};
  absl::Time event_time = absl::InfinitePast();  // when it happened at the source
  uint64_t sequence = 0;  // its place in the source's order; one for rows that swap their keys
  uint64_t subsequence = 0;
  bool continue_on_error = false;  // if it cannot be applied: a dead letter, whatever is configured
};

// One state of a checkpoint. Views are borrowed for the call.
struct NewState {
  absl::string_view table;  // empty: the connection-wide state
  absl::string_view body;
  absl::string_view cursor = {};                // readable high-water mark
  absl::Time watermark = absl::InfinitePast();  // every change up to here was emitted
  absl::string_view schema = {};
};

// A record that cannot become a row. Views are borrowed for the call.
struct RejectedRecord {
  absl::string_view table;
  absl::string_view record_json;  // as received
  absl::string_view reason;       // one sentence
  absl::string_view key_json = {};
  absl::string_view context_json = {};  // URL, parameters
  absl::StatusCode code = absl::StatusCode::kInvalidArgument;
};

// Rows are copied, gathered into batches of up to 1,000 rows or 256 KiB for each table, and handed
// over when a batch is full, at Checkpoint, Wait, Sleep, Flush, Progress and the end of Update(),
// and when the oldest row is 50 ms old at the next call. Order is kept within a table, and between
// tables too if the plugin declares kSourceTransactions.
// The first error is kept and returned by every later call; Update() returns it, too.
// Confined to the thread of Update(); durable() is thread-safe.
class Sink {
 public:
  using Cells = absl::Span<const Value>;
  using Fields = absl::Span<const Field>;

  // `state_format` is the number that the checkpoints carry.
  Sink(const tidemark_sink* raw, Host host, internal::TableSet* tables, uint32_t state_format,
       bool ordered_tables)
      : raw_(raw),
        host_(host),
        tables_(tables),
        state_format_(state_format),
        ordered_tables_(ordered_tables) {
    for (const auto& buffer : tables_->buffers()) buffer->Release();
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  // ---- Rows by name. A table or column not known yet is defined on the way. ----
  // A full row; columns left out are NULL.
  absl::Status Upsert(absl::string_view table, Fields row, const RowOptions<Field>& o = {}) {
    return AppendNamed(table, TIDEMARK_UPSERT, row, Value::Null(), o);
  }
  // The key and the changed columns.
  absl::Status Update(absl::string_view table, Fields row, const RowOptions<Field>& o = {}) {
    return AppendNamed(table, TIDEMARK_UPDATE, row, Value::Unchanged(), o);
  }
  // The key.
  absl::Status Delete(absl::string_view table, Fields key, const RowOptions<Field>& o = {}) {
    return AppendNamed(table, TIDEMARK_DELETE, key, Value::Null(), o);
  }
  // A full row read while other changes were running: never overwrites something newer.
  absl::Status Snapshot(absl::string_view table, Fields row, const RowOptions<Field>& o = {}) {
    return AppendNamed(table, TIDEMARK_SNAPSHOT, row, Value::Null(), o);
  }
  // Every row of the table written before it goes.
  absl::Status Truncate(absl::string_view table, const RowOptions<Field>& o = {}) {
    return AppendNamed(table, TIDEMARK_TRUNCATE, {}, Value::Null(), o);
  }

  // ---- Rows by position: the values of the table's first columns. ----
  absl::Status Upsert(const TableRef& table, Cells row, const RowOptions<Value>& o = {}) {
    return Append(*table.buffer_, TIDEMARK_UPSERT, row, Value::Null(), o);
  }
  absl::Status Update(const TableRef& table, Cells row, const RowOptions<Value>& o = {}) {
    return Append(*table.buffer_, TIDEMARK_UPDATE, row, Value::Unchanged(), o);
  }
  absl::Status Delete(const TableRef& table, Cells key, const RowOptions<Value>& o = {}) {
    return Append(*table.buffer_, TIDEMARK_DELETE, key, Value::Null(), o);
  }
  absl::Status Snapshot(const TableRef& table, Cells row, const RowOptions<Value>& o = {}) {
    return Append(*table.buffer_, TIDEMARK_SNAPSHOT, row, Value::Null(), o);
  }
  absl::Status Truncate(const TableRef& table, const RowOptions<Value>& o = {}) {
    return Append(*table.buffer_, TIDEMARK_TRUNCATE, {}, Value::Null(), o);
  }

  // A table of Schema() or one defined before; NOT_FOUND otherwise.
  absl::StatusOr<TableRef> Find(absl::string_view name, absl::string_view schema = "") const {
    internal::RowBuffer* buffer = tables_->Find(name, schema);
    if (buffer != nullptr) return TableRef(buffer);
    return absl::NotFoundError(absl::StrCat("table ", name, " is neither declared nor defined"));
  }
  // Defines a table, or appends columns to one and widens their types.
  absl::StatusOr<TableRef> Define(const Table& table);

  // ---- Checkpoints ----
  // Everything emitted so far may be committed together with this connection-wide state.
  absl::Status Checkpoint(absl::string_view body, absl::string_view cursor = {},
                          absl::Time watermark = absl::InfinitePast()) {
    const NewState state = {"", body, cursor, watermark};
    return CheckpointStates({&state, 1});
  }
  // Everything emitted so far for these tables (for all, with a connection-wide state) may be
  // committed together with these states: CheckpointStates({{"users", "7"}, {"orders", "12"}}).
  absl::Status CheckpointStates(absl::Span<const NewState> states);
  // The id of the last checkpoint of this run: 1, 2, ..; 0: none.
  uint64_t last_checkpoint() const { return last_checkpoint_; }
  // Every checkpoint up to this id is committed. [any-thread]
  uint64_t durable() const { return raw_->durable(raw_); }
  // Waits until durable() >= id: OK, CANCELLED, or DEADLINE_EXCEEDED, which is not kept.
  absl::Status Wait(uint64_t id, absl::Duration timeout = absl::InfiniteDuration());
  // A sleep that ends early with CANCELLED when the host asks to stop.
  absl::Status Sleep(absl::Duration duration);
  // Asks for a commit at the last checkpoint; does not wait for it.
  absl::Status Flush();

  // ---- Beside the rows ----
  absl::Status DeadLetter(const RejectedRecord& record);
  // One table finished or failed; the others go on.
  absl::Status TableDone(absl::string_view table, const absl::Status& status = absl::OkStatus(),
                         absl::string_view schema = "");
  // A sentence for the report of the run; `table` may be empty.
  absl::Status Warn(absl::string_view text, absl::string_view table = "");
  // How far it is; rows_total 0: not known. `phase`: a word.
  absl::Status Progress(uint64_t rows_done, uint64_t rows_total = 0, const char* phase = nullptr);
  // Never log a secret, and never a line for each row.
  void Log(LogLevel level, absl::string_view text) const { host_.Log(level, text); }
  // The host's clock.
  absl::Time Now() const { return host_.Now(); }

  // Hands over what is gathered. Update() need not call it.
  absl::Status Emit();
  // The first error of the run.
  const absl::Status& status() const { return status_; }

 private:
  static constexpr size_t kGatheredBytes = 4 * internal::kBatchBytes;  // of all tables together
  static constexpr int64_t kMaxAgeMs = 50;
  static constexpr size_t kHolders = 32;  // empty tables that keep the memory of a batch

  absl::Status AppendNamed(absl::string_view table, uint8_t op, Fields row, const Value& filler,
                           const RowOptions<Field>& options);
  absl::Status Append(internal::RowBuffer& buffer, uint8_t op, Cells row, const Value& filler,
                      const RowOptions<Value>& options);
  absl::Status EmitTable(internal::RowBuffer& buffer);
  // Notes that the table is about to hold memory; takes it from another table that has no rows.
  void Hold(internal::RowBuffer& buffer);
  // Puts fields into the places of their columns; false if a column is not known yet.
  static absl::StatusOr<bool> Place(const internal::RowBuffer& buffer, Fields row,
                                    const Value& filler, std::vector<Value>* cells);
  absl::Status DefineColumns(internal::RowBuffer& buffer, Fields row, Fields before);
  absl::Status Keep(const internal::ErrorBuffer& error, tidemark_code code) {
    if (code != TIDEMARK_OK) status_ = error.ToStatus(code);
    return status_;
  }
  // A clock for ages that costs next to nothing for each row.
  static int64_t SteadyMs() {
    timespec t;
#ifdef CLOCK_MONOTONIC_COARSE
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
#else
    clock_gettime(CLOCK_MONOTONIC, &t);
#endif
    return int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000;
  }

  const tidemark_sink* const raw_;
  const Host host_;
  internal::TableSet* const tables_;
  const uint32_t state_format_;
  const bool ordered_tables_;
  absl::Status status_;
  std::vector<internal::RowBuffer*> gathered_;  // with rows, in the order of their first row
  size_t gathered_bytes_ = 0;
  std::vector<internal::RowBuffer*> holders_;  // that hold memory, the oldest first
  int64_t oldest_ms_ = 0;
  uint64_t last_checkpoint_ = 0;
  std::vector<Value> cells_;   // of the row by name at hand
  std::vector<Value> before_;  // of its before image
};

}  // namespace sdk_v1
}  // namespace tidemark

#include "tidemark/sink_inline.h"  // IWYU pragma: export

#endif  // TIDEMARK_SINK_H_
