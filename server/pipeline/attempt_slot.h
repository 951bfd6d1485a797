// A table of one attempt, by the source's number. Private to sync_attempt.cc and attempt_end.cc.
#ifndef TIDEMARK_PIPELINE_ATTEMPT_SLOT_H_
#define TIDEMARK_PIPELINE_ATTEMPT_SLOT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/change_batch.h"
#include "pipeline/open_group.h"
#include "pipeline/sync_attempt.h"

namespace tidemark {

struct SyncAttempt::Slot {
  std::string name;         // qualified source name
  TableRun* run = nullptr;  // null: not selected
  const TableRule* rule = nullptr;
  std::unique_ptr<TableWriter> writer;  // null: its rows are ignored
  std::vector<bool> selected;           // columns; empty: all
  bool touched = false;                 // by the open group
  bool begins_again = false;            // its state was reset: what is not read again goes
  bool uncovered = false;   // the open group holds changes of it that no checkpoint covers
  bool moved_keys = false;  // changes of keys are among those
  bool done = false;
  absl::Status failure;      // of TableDone or on_error: stop
  uint64_t received = 0;     // rows, by the engine's count
  uint64_t sent = 0;         // rows, by the connector's count
  uint64_t sent_at_end = 0;  // of Finished
  bool counted = false;      // the connector counts
  int64_t surplus = 0;       // sent - received at the last comparison
  int64_t committed_surplus = 0;
};

inline void CountCalls(const ChangeBatch& batch, CallCounts* calls) {
  uint64_t by_kind[8] = {};
  for (const uint8_t op : batch.ops) ++by_kind[op & 7];
  calls->upserts += by_kind[static_cast<size_t>(ChangeKind::kUpsert)] +
                    by_kind[static_cast<size_t>(ChangeKind::kSnapshot)];
  calls->updates += by_kind[static_cast<size_t>(ChangeKind::kUpdate)];
  calls->deletes += by_kind[static_cast<size_t>(ChangeKind::kDelete)];
  calls->truncates += by_kind[static_cast<size_t>(ChangeKind::kTruncate)];
}

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_ATTEMPT_SLOT_H_
