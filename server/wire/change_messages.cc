#include "wire/change_messages.h"

#include <algorithm>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/status_context.h"
#include "tidemark/v1/connector.pb.h"
#include "wire/call_status.h"
#include "wire/row_codec.h"

namespace tidemark {
namespace {

absl::Status CheckOps(const ChangeBatch& batch) {
  for (size_t row = 0; row < batch.ops.size(); ++row) {
    const uint8_t kind = batch.ops[row] & 0x7f;
    if (kind < static_cast<uint8_t>(ChangeKind::kUpsert) ||
        kind > static_cast<uint8_t>(ChangeKind::kSnapshot)) {
      return absl::DataLossError(
          absl::StrCat("row ", row, ": unknown operation ", static_cast<int>(batch.ops[row])));
    }
    if (batch.kind(row) != ChangeKind::kUpsert && batch.kind(row) != ChangeKind::kSnapshot) {
      continue;
    }
    const absl::Span<const Value> values = batch.row(row);
    const auto unchanged = std::find_if(values.begin(), values.end(),
                                        [](const Value& value) { return value.is_unchanged(); });
    if (unchanged != values.end()) {
      return absl::DataLossError(absl::StrCat("row ", row, ", column ", unchanged - values.begin(),
                                              ": UNCHANGED in a full row"));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadBefore(const v1::RowBatch& message, ChangeBatch* batch) {
  batch->before_rows.assign(message.before_rows().begin(), message.before_rows().end());
  for (size_t i = 0; i < batch->before_rows.size(); ++i) {
    const uint32_t row = batch->before_rows[i];
    if (row >= batch->row_count || (i > 0 && row <= batch->before_rows[i - 1])) {
      return absl::DataLossError(absl::StrCat("before_rows[", i, "] = ", row,
                                              " is not ascending below ", batch->row_count));
    }
  }
  absl::Status decoded =
      DecodeRows(message.before(), static_cast<uint32_t>(batch->before_rows.size()),
                 batch->column_count, &batch->before);
  return decoded.ok() ? decoded : WithContext("before", decoded);
}

}  // namespace

absl::Status RowBatchFromMessage(const v1::RowBatch& message, ChangeBatch* batch) {
  if (message.row_count() == 0 || message.row_count() > kMaxRowsPerBatch) {
    return absl::DataLossError(
        absl::StrCat("a batch of ", message.row_count(), " rows, must be 1 to ", kMaxRowsPerBatch));
  }
  if (message.ops().size() != message.row_count()) {
    return absl::DataLossError(
        absl::StrCat(message.ops().size(), " operations for ", message.row_count(), " rows"));
  }
  batch->table = message.table();
  batch->row_count = message.row_count();
  batch->column_count = message.column_count();
  batch->ops.assign(message.ops().begin(), message.ops().end());
  batch->encoded_bytes = message.ops().size() + message.rows().size() + message.before().size() +
                         message.meta().size();
  if (absl::Status decoded =
          DecodeRows(message.rows(), batch->row_count, batch->column_count, &batch->values);
      !decoded.ok()) {
    return decoded;
  }
  if (absl::Status decoded = DecodeMeta(message.meta(), batch->row_count, &batch->meta);
      !decoded.ok()) {
    return decoded;
  }
  if (absl::Status read = ReadBefore(message, batch); !read.ok()) return read;
  return CheckOps(*batch);
}

DeadLetter DeadLetterFromMessage(const v1::DeadLetter& message) {
  DeadLetter letter;
  letter.key_json = message.key_json();
  letter.change_json = message.record_json();
  letter.reason = message.reason();
  letter.code = CodeFromNumber(message.code());
  letter.context_json = message.context_json();
  return letter;
}

void DeadLetterToMessage(const DeadLetter& letter, uint32_t table, v1::DeadLetter* message) {
  message->Clear();
  message->set_table(table);
  message->set_code(static_cast<int32_t>(letter.code));
  message->set_record_json(letter.change_json);
  message->set_key_json(letter.key_json);
  message->set_reason(letter.reason);
  message->set_context_json(letter.context_json);
}

absl::Status VerdictFromMessage(const v1::Finished& message, absl::string_view table) {
  if (message.code() == 0) return absl::OkStatus();
  std::string text = StatusText(message.message());
  if (!message.error_column().empty() && !table.empty()) {
    text = absl::StrCat("table ", table, ", column ", message.error_column(), ": ", text);
  } else if (!table.empty()) {
    text = absl::StrCat("table ", table, ": ", text);
  }
  absl::Status verdict(CodeFromNumber(message.code()), text);
  if (message.retry_after_us() <= 0) return verdict;
  return WithRetryAfter(verdict, absl::Microseconds(message.retry_after_us()));
}

void VerdictToMessage(const absl::Status& verdict, v1::Finished* message) {
  message->set_code(static_cast<int32_t>(verdict.code()));
  message->set_message(verdict.ok() ? std::string() : StatusText(verdict.message()));
  const std::optional<absl::Duration> wait = RetryAfter(verdict);
  message->set_retry_after_us(wait.has_value() ? absl::ToInt64Microseconds(*wait) : 0);
}

}  // namespace tidemark
