// The sink of one Update or Read call: what update() or read() emits into (tidemark_sink). Checks
// everything, packs rows into messages, and lets the stream's flow control hold the plugin back.
#ifndef TIDEMARK_PLUGIN_HOST_PLUGIN_SINK_H_
#define TIDEMARK_PLUGIN_HOST_PLUGIN_SINK_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/checkpoint.h"
#include "core/mutex.h"
#include "plugin_host/acknowledged_checkpoint.h"
#include "plugin_host/batch_packer.h"
#include "plugin_host/plugin_error.h"
#include "plugin_host/plugin_tables.h"
#include "plugin_host/response_stream.h"
#include "tidemark/plugin_abi.h"

namespace tidemark {

// Confined to update()'s thread, which it checks itself at each call of the plugin; durable() and
// last_checkpoint() at any time. Outlives the instance.
class PluginSink {
 public:
  // Borrows all three for its own life.
  PluginSink(PluginTables* tables, ResponseStream* stream, AcknowledgedCheckpoint* acknowledged);
  // With `read_table`: of read() (read_abi.h): upserts of that table only, nothing that belongs to
  // a sync.
  PluginSink(PluginTables* tables, ResponseStream* stream, AcknowledgedCheckpoint* acknowledged,
             std::optional<uint32_t> read_table);
  PluginSink(const PluginSink&) = delete;
  PluginSink& operator=(const PluginSink&) = delete;

  const tidemark_sink& abi() const { return sink_; }

  // The calling thread is update()'s, until End. Outside, each call is FAILED_PRECONDITION.
  void Begin();
  void End();

  // The first error a call of the plugin met, also where the plugin ignored it, and a call from
  // another thread: the verdict of the run whatever update() returns. OK: none. Cancellation is
  // none.
  absl::Status failure();
  ErrorPlace failure_place() const { return failure_place_; }

  uint64_t last_checkpoint() const { return last_checkpoint_.load(std::memory_order_acquire); }
  // Rows of the whole call, per table, without tables that had none.
  std::vector<TableRows> sent() const;

 private:
  absl::Status Emit(const tidemark_batch* batch, ErrorPlace* place);
  absl::Status Checkpoint(const tidemark_checkpoint* checkpoint, uint64_t* id);
  absl::Status DefineTable(const tidemark_table* table, uint32_t* index);
  absl::Status DeadLetter(const tidemark_dead_letter* letter);
  absl::Status TableDone(uint32_t table, tidemark_code code, tidemark_bytes reason);
  absl::Status Warn(uint32_t table, tidemark_bytes text);
  absl::Status Flush();
  absl::Status Wait(uint64_t id, int64_t timeout_us);

  // Every call of the plugin: thread and state checked before, error noted after.
  template <typename Body>
  static tidemark_code Enter(const tidemark_sink* sink, const char* name, tidemark_error* error,
                             Body body);
  absl::Status CheckCaller(const char* name);
  // The call belongs to a sync, and this one reads rows.
  absl::Status RefuseInRead(const char* name) const;
  absl::Status CheckReadRows(const tidemark_batch& batch, ErrorPlace* place) const;
  void Note(const absl::Status& status, const ErrorPlace& place);
  absl::Status CheckTable(uint32_t table, bool may_be_none) const;
  absl::Status Send(const v1::UpdateResponse& response);
  absl::Status WarnOfLargeStates(const std::vector<StateEntry>& states);
  void CountRows(uint32_t table, uint32_t rows);

  tidemark_sink sink_;
  PluginTables* const tables_;
  ResponseStream* const stream_;
  AcknowledgedCheckpoint* const acknowledged_;
  const std::optional<uint32_t> read_table_;
  std::atomic<std::thread::id> caller_{};  // update()'s thread, or no thread
  std::atomic<uint64_t> last_checkpoint_{0};

  BatchPacker packer_;
  std::vector<uint64_t> rows_since_last_;  // by table
  std::vector<uint64_t> rows_sent_;        // by table
  std::set<std::string> large_states_;     // names of entries warned of
  ErrorPlace failure_place_;

  Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tidemark

#endif  // TIDEMARK_PLUGIN_HOST_PLUGIN_SINK_H_
