#include "destination/sqlite_row_binder.h"

#include "core/time_text.h"

namespace tidemark {

SqliteRowBinder::SqliteRowBinder(size_t columns) : scratch_(new char[(columns + 1) * kSlotBytes]) {}

absl::string_view SqliteRowBinder::SyncedText(int64_t synced_us) {
  if (synced_text_.empty() || synced_us != synced_us_) {
    synced_text_ = FormatUtcMicros(synced_us);
    synced_us_ = synced_us;
  }
  return synced_text_;
}

absl::string_view SqliteRowBinder::TimeText(const Value& value, size_t slot) {
  char* const scratch = scratch_.get() + slot * kSlotBytes;
  switch (value.kind) {
    case ValueKind::kDate:
      return {scratch, FormatDateTo(value.i64, scratch)};
    case ValueKind::kTime:
      return {scratch, FormatTimeOfDayTo(value.i64, scratch)};
    case ValueKind::kTimestamp:
      return {scratch, FormatUtcMicrosTo(value.i64, scratch)};
    default:
      return {scratch, FormatNaiveMicrosTo(value.i64, scratch)};
  }
}

int SqliteRowBinder::Bind(sqlite3_stmt* statement, int parameter, const Value& value, size_t slot) {
  switch (value.kind) {
    case ValueKind::kNull:
    case ValueKind::kUnchanged:
      return sqlite3_bind_null(statement, parameter);
    case ValueKind::kBool:
    case ValueKind::kInt64:
      return sqlite3_bind_int64(statement, parameter, value.i64);
    case ValueKind::kDouble:
      return sqlite3_bind_double(statement, parameter, value.f64);  // NaN becomes NULL
    case ValueKind::kDecimal:
    case ValueKind::kString:
    case ValueKind::kJson:
      // A null pointer would bind NULL instead of the empty text.
      return sqlite3_bind_text64(statement, parameter, value.length == 0 ? "" : value.text,
                                 value.length, SQLITE_STATIC, SQLITE_UTF8);
    case ValueKind::kBytes:
      return sqlite3_bind_blob64(statement, parameter, value.length == 0 ? "" : value.text,
                                 value.length, SQLITE_STATIC);
    case ValueKind::kDate:
    case ValueKind::kTime:
    case ValueKind::kTimestamp:
    case ValueKind::kNaiveTimestamp:
      break;
  }
  const absl::string_view text = TimeText(value, slot);
  return sqlite3_bind_text64(statement, parameter, text.data(), text.size(), SQLITE_STATIC,
                             SQLITE_UTF8);
}

void SqliteRowBinder::Show(sqlite3_context* context, const Value& value, size_t slot) {
  switch (value.kind) {
    case ValueKind::kNull:
    case ValueKind::kUnchanged:
      return;
    case ValueKind::kBool:
    case ValueKind::kInt64:
      return sqlite3_result_int64(context, value.i64);
    case ValueKind::kDouble:
      return sqlite3_result_double(context, value.f64);
    case ValueKind::kDecimal:
    case ValueKind::kString:
    case ValueKind::kJson:
      return sqlite3_result_text64(context, value.length == 0 ? "" : value.text, value.length,
                                   SQLITE_STATIC, SQLITE_UTF8);
    case ValueKind::kBytes:
      return sqlite3_result_blob64(context, value.length == 0 ? "" : value.text, value.length,
                                   SQLITE_STATIC);
    case ValueKind::kDate:
    case ValueKind::kTime:
    case ValueKind::kTimestamp:
    case ValueKind::kNaiveTimestamp:
      break;
  }
  const absl::string_view text = TimeText(value, slot);
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

}  // namespace tidemark
