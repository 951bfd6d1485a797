#include "wire/state_messages.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "tidemark/v1/connector.pb.h"
#include "wire/schema_messages.h"

namespace tidemark {
namespace {

// How errors call an entry.
std::string Quoted(const StateEntry& entry) {
  if (entry.connection_wide()) return "the connection-wide state entry";
  return absl::StrCat("state entry \"", CutUtf8(EntryName(entry), 2 * kMaxNameBytes + 1), "\"");
}

}  // namespace

absl::Status CheckStateEntry(const StateEntry& entry) {
  if (entry.connection_wide() && !entry.schema.empty()) {
    return absl::InvalidArgumentError("a state entry names a schema and no table");
  }
  for (const std::string* name : {&entry.schema, &entry.table}) {
    if (name->size() > kMaxNameBytes) {
      return absl::InvalidArgumentError(absl::StrCat("a state entry's name has ", name->size(),
                                                     " bytes, at most ", kMaxNameBytes));
    }
    if (!IsUtf8(*name) || HasNul(*name)) {
      return absl::InvalidArgumentError("a state entry's name is not UTF-8 without U+0000");
    }
  }
  if (!IsUtf8(entry.cursor)) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(entry), ": its cursor is not UTF-8"));
  }
  if (entry.body.size() > kMaxStateBytes || entry.cursor.size() > kMaxStateBytes) {
    const size_t bytes = std::max(entry.body.size(), entry.cursor.size());
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(entry), " has ", bytes, " bytes, at most ", kMaxStateBytes));
  }
  return absl::OkStatus();
}

absl::StatusOr<StateEntry> StateEntryFromMessage(const v1::StateEntry& message) {
  StateEntry entry;
  entry.schema = message.schema();
  entry.table = message.table();
  entry.body = message.body();
  entry.cursor = message.cursor();
  entry.format = message.format();
  entry.kind = message.kind();
  entry.version = message.version();
  if (message.has_committed_at_us()) entry.committed_at_us = message.committed_at_us();
  if (message.has_watermark_us()) entry.watermark_us = message.watermark_us();
  if (absl::Status checked = CheckStateEntry(entry); !checked.ok()) return checked;
  return entry;
}

void StateEntryToMessage(const StateEntry& entry, v1::StateEntry* message) {
  message->Clear();
  message->set_schema(entry.schema);
  message->set_table(entry.table);
  message->set_body(entry.body);
  message->set_cursor(entry.cursor);
  message->set_format(entry.format);
  message->set_kind(entry.kind);
  message->set_version(entry.version);
  if (entry.committed_at_us != kNoTime) message->set_committed_at_us(entry.committed_at_us);
  if (entry.watermark_us != kNoTime) message->set_watermark_us(entry.watermark_us);
}

absl::StatusOr<std::vector<StateEntry>> StateEntriesFromMessages(
    const google::protobuf::RepeatedPtrField<v1::StateEntry>& messages) {
  std::vector<StateEntry> entries;
  entries.reserve(static_cast<size_t>(messages.size()));
  for (const v1::StateEntry& message : messages) {
    absl::StatusOr<StateEntry> entry = StateEntryFromMessage(message);
    if (!entry.ok()) return entry.status();
    entries.push_back(*std::move(entry));
  }
  return entries;
}

void StateEntriesToMessages(absl::Span<const StateEntry> entries,
                            google::protobuf::RepeatedPtrField<v1::StateEntry>* messages) {
  messages->Clear();
  for (const StateEntry& entry : entries) StateEntryToMessage(entry, messages->Add());
}

std::vector<TableRows> TableRowsFromMessages(
    const google::protobuf::RepeatedPtrField<v1::TableRows>& messages) {
  std::vector<TableRows> rows;
  rows.reserve(static_cast<size_t>(messages.size()));
  for (const v1::TableRows& message : messages) {
    rows.push_back(TableRows{message.table(), message.rows()});
  }
  return rows;
}

void TableRowsToMessages(absl::Span<const TableRows> rows,
                         google::protobuf::RepeatedPtrField<v1::TableRows>* messages) {
  messages->Clear();
  for (const TableRows& from : rows) {
    v1::TableRows* to = messages->Add();
    to->set_table(from.table);
    to->set_rows(from.rows);
  }
}

absl::StatusOr<Checkpoint> CheckpointFromMessage(const v1::Checkpoint& message) {
  if (message.id() == 0) return absl::InvalidArgumentError("a checkpoint with id 0");
  Checkpoint checkpoint;
  checkpoint.id = message.id();
  absl::StatusOr<std::vector<StateEntry>> states = StateEntriesFromMessages(message.states());
  if (!states.ok()) return states.status();
  checkpoint.states = *std::move(states);
  if (checkpoint.states.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("checkpoint ", checkpoint.id, " carries no state entry"));
  }
  std::set<std::pair<absl::string_view, absl::string_view>> seen;
  for (const StateEntry& entry : checkpoint.states) {
    if (!seen.emplace(entry.schema, entry.table).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("checkpoint ", checkpoint.id, " carries ", Quoted(entry), " twice"));
    }
  }
  checkpoint.rows_since_last = TableRowsFromMessages(message.rows_since_last());
  return checkpoint;
}

void CheckpointToMessage(const Checkpoint& checkpoint, v1::Checkpoint* message) {
  message->set_id(checkpoint.id);
  StateEntriesToMessages(checkpoint.states, message->mutable_states());
  TableRowsToMessages(checkpoint.rows_since_last, message->mutable_rows_since_last());
}

absl::StatusOr<Acknowledgement> AcknowledgementFromMessage(const v1::Acknowledgement& message) {
  absl::StatusOr<std::vector<StateEntry>> releasable =
      StateEntriesFromMessages(message.releasable());
  if (!releasable.ok()) return releasable.status();
  return Acknowledgement{.durable = message.durable(), .releasable = *std::move(releasable)};
}

void AcknowledgementToMessage(const Acknowledgement& acknowledgement,
                              v1::Acknowledgement* message) {
  message->set_durable(acknowledgement.durable);
  StateEntriesToMessages(acknowledgement.releasable, message->mutable_releasable());
}

}  // namespace tidemark
