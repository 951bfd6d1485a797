#include "source/event_decoder.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "core/failpoint.h"
#include "core/status_context.h"
#include "wire/call_status.h"
#include "wire/change_messages.h"
#include "wire/schema_messages.h"
#include "wire/state_messages.h"

namespace tidemark {

absl::Status EventDecoder::RequireTable(uint32_t table, bool or_none, const char* what) const {
  if (tables_.Knows(table) || (or_none && table == kNoTable)) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(what, " names table number ", table, ", but there are ",
                                          tables_.size(), " tables"));
}

void EventDecoder::BeginRead(uint32_t table) {
  tables_.Reset(declared_);
  readable_.Drop();
  events_.clear();
  finished_ = false;
  read_table_ = table;
}

absl::Status EventDecoder::CheckRead(const ChangeBatch& batch) const {
  if (batch.table != *read_table_) {
    return absl::DataLossError(absl::StrCat("asked to read ", tables_.Name(*read_table_),
                                            ", it sent rows of ", tables_.Name(batch.table)));
  }
  for (size_t row = 0; row < batch.row_count; ++row) {
    if (batch.kind(row) != ChangeKind::kUpsert) {
      return absl::DataLossError(
          absl::StrCat("a row that was read is no upsert (", tables_.Name(batch.table), ")"));
    }
  }
  return absl::OkStatus();
}

absl::Status EventDecoder::CheckRead(const v1::UpdateResponse& response) const {
  if (response.has_checkpoint() || response.has_table_done() || response.has_flush()) {
    return absl::DataLossError("it sent a message of a sync while it was asked to read rows");
  }
  return absl::OkStatus();
}

absl::Status EventDecoder::Push(std::unique_ptr<StreamMessage> message,
                                const std::shared_ptr<MessagePool>& pool) {
  if (finished_) return absl::DataLossError("it sent a message after Finished");
  if (message->malformed) {
    return absl::DataLossError(
        absl::StrCat("it sent ", message->bytes, " bytes that are no UpdateResponse"));
  }
  if (message->is_row_batch) return PushRowBatch(std::move(message), pool);
  if (message->response.has_rows()) {
    readable_.Begin(std::move(message));
    return absl::OkStatus();
  }
  absl::Status status = message->response.has_row_batch()
                            ? absl::DataLossError("it sent a row batch with foreign fields")
                            : absl::OkStatus();
  if (status.ok() && read_table_.has_value()) status = CheckRead(message->response);
  if (status.ok()) status = PushResponse(message->response);
  pool->Return(std::move(message));
  return status;
}

absl::StatusOr<std::optional<SourceEvent>> EventDecoder::Pop() {
  if (events_.empty() && readable_.pending()) {
    if (absl::Status status = readable_.Advance(&events_); !status.ok()) return status;
  }
  if (events_.empty()) return std::nullopt;
  if (const auto* batch = std::get_if<ChangeBatch>(&events_.front());
      batch != nullptr && read_table_.has_value()) {
    if (absl::Status status = CheckRead(*batch); !status.ok()) return status;
  }
  std::optional<SourceEvent> event(std::move(events_.front()));
  events_.pop_front();
  return event;
}

absl::Status EventDecoder::PushRowBatch(std::unique_ptr<StreamMessage> message,
                                        const std::shared_ptr<MessagePool>& pool) {
  if (absl::Status s = Failpoint("connector.decode"); !s.ok()) return s;
  const v1::RowBatch& packed = message->row_batch;
  if (absl::Status status = RequireTable(packed.table(), false, "a row batch"); !status.ok()) {
    return status;
  }
  const size_t columns = tables_.at(packed.table()).columns.size();
  if (packed.column_count() > columns) {
    return absl::DataLossError(absl::StrCat(tables_.Name(packed.table()), ": a row batch has ",
                                            packed.column_count(), " columns, the table has ",
                                            columns));
  }
  ChangeBatch batch;
  if (absl::Status status = RowBatchFromMessage(packed, &batch); !status.ok()) {
    return WithContext(tables_.Name(packed.table()), status);
  }
  batch.encoded_bytes = message->bytes;
  batch.bytes.push_back(std::make_unique<MessageBytes>(std::move(message), pool));
  events_.push_back(std::move(batch));
  return absl::OkStatus();
}

absl::Status EventDecoder::PushResponse(const v1::UpdateResponse& response) {
  switch (response.response_case()) {
    case v1::UpdateResponse::kTableDefinition:
      return PushDefinition(response.table_definition());
    case v1::UpdateResponse::kCheckpoint:
      return PushCheckpoint(response.checkpoint());
    case v1::UpdateResponse::kFinished:
      return PushFinished(response.finished());
    case v1::UpdateResponse::kDeadLetter: {
      const v1::DeadLetter& letter = response.dead_letter();
      events_.push_back(SourceDeadLetter{letter.table(), DeadLetterFromMessage(letter)});
      return RequireTable(letter.table(), true, "a dead letter");
    }
    case v1::UpdateResponse::kTableDone: {
      const v1::TableDone& done = response.table_done();
      events_.push_back(TableDone{
          done.table(), absl::Status(CodeFromNumber(done.code()), StatusText(done.reason()))});
      return RequireTable(done.table(), false, "TableDone");
    }
    case v1::UpdateResponse::kWarning: {
      const v1::Warning& warning = response.warning();
      events_.push_back(SourceWarning{warning.table(), StatusText(warning.text())});
      return RequireTable(warning.table(), true, "a warning");
    }
    case v1::UpdateResponse::kFlush:
      events_.push_back(FlushRequest());
      return absl::OkStatus();
    case v1::UpdateResponse::kProgress: {
      const v1::Progress& progress = response.progress();
      events_.push_back(SourceProgress{progress.table(), progress.rows_done(),
                                       progress.rows_total(), progress.bytes_done(),
                                       progress.phase()});
      return RequireTable(progress.table(), true, "a progress message");
    }
    case v1::UpdateResponse::kLog:
      events_.push_back(SourceLog{response.log().level(), StatusText(response.log().text())});
      return absl::OkStatus();
    default:
      return absl::UnimplementedError(
          "it sent a kind of message this version of Tidemark does not know; it was made for a "
          "newer version");
  }
}

absl::Status EventDecoder::PushDefinition(const v1::TableDefinition& message) {
  absl::StatusOr<TableSchema> table = TableFromMessage(message.table());
  if (!table.ok()) return absl::DataLossError(table.status().message());
  if (absl::Status status = tables_.Define(message.index(), *table); !status.ok()) return status;
  events_.push_back(TableDefinition{message.index(), *std::move(table)});
  return absl::OkStatus();
}

absl::Status EventDecoder::PushCheckpoint(const v1::Checkpoint& message) {
  absl::StatusOr<Checkpoint> checkpoint = CheckpointFromMessage(message);
  if (!checkpoint.ok()) {
    return absl::DataLossError(absl::StrCat("a checkpoint: ", checkpoint.status().message()));
  }
  if (checkpoint->id != last_checkpoint_ + 1) {
    return absl::DataLossError(absl::StrCat("checkpoint ", checkpoint->id, " came where ",
                                            last_checkpoint_ + 1, " was due"));
  }
  for (const TableRows& rows : checkpoint->rows_since_last) {
    if (absl::Status status = RequireTable(rows.table, false, "a checkpoint"); !status.ok()) {
      return status;
    }
  }
  last_checkpoint_ = checkpoint->id;
  events_.push_back(*std::move(checkpoint));
  return absl::OkStatus();
}

absl::Status EventDecoder::PushFinished(const v1::Finished& message) {
  Finished finished;
  const std::string table = message.has_error_table() && tables_.Knows(message.error_table())
                                ? QualifiedName(tables_.at(message.error_table()))
                                : "";
  finished.status = WithContext(label_, VerdictFromMessage(message, table));
  finished.sent = TableRowsFromMessages(message.sent());
  for (const TableRows& rows : finished.sent) {
    if (absl::Status status = RequireTable(rows.table, false, "Finished"); !status.ok()) {
      return status;
    }
  }
  finished_ = true;
  events_.push_back(std::move(finished));
  return absl::OkStatus();
}

}  // namespace tidemark
