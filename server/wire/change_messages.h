// Changes, dead letters and the verdict at the end, core <-> proto.
#ifndef TIDEMARK_WIRE_CHANGE_MESSAGES_H_
#define TIDEMARK_WIRE_CHANGE_MESSAGES_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/change_batch.h"
#include "core/dead_letter.h"

namespace tidemark {
namespace v1 {
class DeadLetter;
class Finished;
class RowBatch;
}  // namespace v1

// Decodes and checks the structure of a packed batch: row_count 1..65,536, known ops, UNCHANGED
// only in UPDATE and DELETE rows and in `before`, ascending before_rows, as many bytes as values.
// Content (UTF-8, JSON, decimals, types) is checked by pipeline/conform. The text of the batch's
// values views `message`: the caller keeps it alive, usually by moving it into batch->bytes.
// DATA_LOSS naming the row; the caller adds the table's name, which it knows.
absl::Status RowBatchFromMessage(const v1::RowBatch& message, ChangeBatch* batch);

// letter.table stays empty; the table's number is message.table(). Texts of the connector that
// are not UTF-8 are impossible in proto3 and need no check here. An unknown code is UNKNOWN.
DeadLetter DeadLetterFromMessage(const v1::DeadLetter& message);
void DeadLetterToMessage(const DeadLetter& letter, uint32_t table, v1::DeadLetter* message);

// The connector's verdict: code, text with the column it names, and RetryAfter
// (core/status_context.h). `table` is the qualified name of message.error_table(), or empty.
absl::Status VerdictFromMessage(const v1::Finished& message, absl::string_view table);
// Sets code, message (cut to 8,000 bytes) and retry_after_us.
void VerdictToMessage(const absl::Status& verdict, v1::Finished* message);

}  // namespace tidemark

#endif  // TIDEMARK_WIRE_CHANGE_MESSAGES_H_
