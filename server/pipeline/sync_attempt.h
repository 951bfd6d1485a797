// One attempt of a sync: one instance of the connector from the last durable state to its end.
#ifndef TIDEMARK_PIPELINE_SYNC_ATTEMPT_H_
#define TIDEMARK_PIPELINE_SYNC_ATTEMPT_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "pipeline/change_source.h"
#include "pipeline/commit_group.h"
#include "pipeline/open_group.h"
#include "pipeline/sync_run.h"
#include "pipeline/table_writer.h"

namespace tidemark {

// kEngine: the process itself ran out of memory.
enum class FailedSide { kConnector, kDestination, kEngine };

// How an attempt ended. Whatever it did not commit is rolled back.
struct AttemptEnd {
  absl::Status status;  // OK: everything the connector said is durable, or `interrupted`
  FailedSide side = FailedSide::kConnector;
  bool interrupted = false;
  // A table ended by its own on_error: another attempt without it is due at once.
  bool without_table = false;
  bool moved = false;  // a commit moved the state
};

// Confined to the apply thread.
class SyncAttempt {
 public:
  // `attempt` counts from 1.
  SyncAttempt(SyncRun& run, uint32_t attempt);
  SyncAttempt(const SyncAttempt&) = delete;
  SyncAttempt& operator=(const SyncAttempt&) = delete;
  ~SyncAttempt();

  AttemptEnd Run();

 private:
  struct Slot;  // one table, by the source's number

  // Each returns OK to go on; anything else, or ended_, ends the attempt.
  absl::Status Begin();
  absl::Status DefineTable(uint32_t index, const TableSchema& table);
  absl::Status CheckNames() const;
  // L2: the source can go on from the durable states; an error names class and entries.
  absl::Status ValidateState();
  absl::Status StartSource();
  void LogBeginning(Slot& slot);

  absl::Status Step();
  absl::Status OnQuiet();
  absl::Status OnEvent(SourceEvent event);
  absl::Status OnBatch(ChangeBatch batch);
  absl::Status OnBadRows(Slot& slot, std::vector<BadRow> bad);
  // Where in the stream the row stood, as JSON for its dead letter.
  std::string Context(const BadRow& row) const;
  absl::Status StopTable(Slot& slot, const BadRow& row);
  absl::Status OnCheckpoint(const Checkpoint& checkpoint);
  absl::Status OnDeadLetter(SourceDeadLetter event);
  absl::Status OnTableDone(const TableDone& done);
  absl::Status OnFlush();
  absl::Status OnFinished(const Finished& finished);
  absl::Status OnInterrupt(int requests);
  absl::Status DiscardTail();
  absl::Status End();

  absl::StatusOr<DestinationTransaction*> Transaction();
  absl::Status FinishTables();
  absl::Status Commit();
  absl::Status CommitAhead();
  // Marks what a checkpoint of this state entry covers.
  absl::Status Cover(const std::string& entry);
  // What no checkpoint covers may commit beside the states of the others and at the end.
  bool TailMayCommit() const;
  // ... and without any checkpoint.
  bool RowsMayRunAhead() const;
  void FoldSlots();
  void Acknowledge();
  void Compare(Slot& slot, uint64_t sent);
  absl::StatusOr<Slot*> SlotOf(uint32_t table);
  std::string NameOf(uint32_t table) const;
  absl::Status Failed(FailedSide side, absl::Status status);

  SyncRun& run_;
  const uint32_t attempt_;
  std::unique_ptr<ChangeSource> source_;
  OpenGroup group_;
  CommitGroup commits_;
  SyncedTime synced_;
  std::vector<std::unique_ptr<Slot>> slots_;
  AttemptEnd end_;
  bool ended_ = false;
  bool ensured_ = false;  // the declared tables stand at the destination
  bool overdue_warned_ = false;
  uint64_t last_checkpoint_ = 0;  // id of the newest one received
  uint64_t acknowledged_ = 0;
  uint64_t rows_ = 0;  // received in this attempt
};

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_SYNC_ATTEMPT_H_
