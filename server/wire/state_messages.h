// State entries, checkpoints, acknowledgements and row counts, core <-> proto.
#ifndef TIDEMARK_WIRE_STATE_MESSAGES_H_
#define TIDEMARK_WIRE_STATE_MESSAGES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/checkpoint.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace tidemark {
namespace v1 {
class Acknowledgement;
class Checkpoint;
class StateEntry;
class TableRows;
}  // namespace v1

inline constexpr size_t kMaxStateBytes = size_t{10} * 1024 * 1024;   // one body
inline constexpr size_t kLargeStateBytes = size_t{1} * 1024 * 1024;  // above: a warning

// A body of at most 10 MiB, names of at most 255 bytes, UTF-8 names and cursor, no schema without
// a table. INVALID_ARGUMENT naming the entry.
absl::Status CheckStateEntry(const StateEntry& entry);

// Checked by CheckStateEntry.
absl::StatusOr<StateEntry> StateEntryFromMessage(const v1::StateEntry& message);
void StateEntryToMessage(const StateEntry& entry, v1::StateEntry* message);
absl::StatusOr<std::vector<StateEntry>> StateEntriesFromMessages(
    const google::protobuf::RepeatedPtrField<v1::StateEntry>& messages);
void StateEntriesToMessages(absl::Span<const StateEntry> entries,
                            google::protobuf::RepeatedPtrField<v1::StateEntry>* messages);

std::vector<TableRows> TableRowsFromMessages(
    const google::protobuf::RepeatedPtrField<v1::TableRows>& messages);
void TableRowsToMessages(absl::Span<const TableRows> rows,
                         google::protobuf::RepeatedPtrField<v1::TableRows>* messages);

// INVALID_ARGUMENT for id 0, no state entry, the same entry twice, or a bad entry.
absl::StatusOr<Checkpoint> CheckpointFromMessage(const v1::Checkpoint& message);
void CheckpointToMessage(const Checkpoint& checkpoint, v1::Checkpoint* message);

absl::StatusOr<Acknowledgement> AcknowledgementFromMessage(const v1::Acknowledgement& message);
void AcknowledgementToMessage(const Acknowledgement& acknowledgement, v1::Acknowledgement* message);

}  // namespace tidemark

#endif  // TIDEMARK_WIRE_STATE_MESSAGES_H_
