// Messages of the Update stream -> events of the pipeline, checked against what came before them.
#ifndef TIDEMARK_SOURCE_EVENT_DECODER_H_
#define TIDEMARK_SOURCE_EVENT_DECODER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "pipeline/change_source.h"
#include "source/known_tables.h"
#include "source/readable_rows.h"
#include "source/stream_message.h"

namespace tidemark {

// Confined to the apply thread. Values are decoded here, one message at a time.
class EventDecoder {
 public:
  // `label` names the connector in its verdict.
  explicit EventDecoder(std::string label) : label_(std::move(label)), readable_(&tables_) {}
  EventDecoder(const EventDecoder&) = delete;
  EventDecoder& operator=(const EventDecoder&) = delete;

  // What Schema answered. Events of tables that are not among them and were not defined since are
  // DATA_LOSS.
  void SetTables(std::vector<TableSchema> tables) {
    declared_ = tables;
    tables_.Reset(std::move(tables));
  }

  // The stream of a Read begins: it knows the tables of Schema only, and has upserts of `table`
  // alone and neither checkpoints nor what belongs to a sync. What is left of an earlier one goes.
  void BeginRead(uint32_t table);

  // REQUIRES: Pop returned nullopt since the last Push. `pool` takes the message back. DATA_LOSS
  // (malformed, out of place) or UNIMPLEMENTED (a kind of message of a newer protocol).
  absl::Status Push(std::unique_ptr<StreamMessage> message,
                    const std::shared_ptr<MessagePool>& pool);

  // The next event of the messages pushed; nullopt: push the next message.
  absl::StatusOr<std::optional<SourceEvent>> Pop();

  // Finished was pushed.
  bool finished() const { return finished_; }

 private:
  absl::Status PushRowBatch(std::unique_ptr<StreamMessage> message,
                            const std::shared_ptr<MessagePool>& pool);
  absl::Status PushResponse(const v1::UpdateResponse& response);
  absl::Status PushDefinition(const v1::TableDefinition& message);
  absl::Status PushCheckpoint(const v1::Checkpoint& message);
  absl::Status PushFinished(const v1::Finished& message);
  absl::Status RequireTable(uint32_t table, bool or_none, const char* what) const;

  // DATA_LOSS when the message has no place in a Read.
  absl::Status CheckRead(const ChangeBatch& batch) const;
  absl::Status CheckRead(const v1::UpdateResponse& response) const;

  const std::string label_;
  std::vector<TableSchema> declared_;  // by Schema
  KnownTables tables_;
  ReadableRows readable_;
  std::deque<SourceEvent> events_;
  uint64_t last_checkpoint_ = 0;
  bool finished_ = false;
  std::optional<uint32_t> read_table_;  // of a Read
};

}  // namespace tidemark

#endif  // TIDEMARK_SOURCE_EVENT_DECODER_H_
