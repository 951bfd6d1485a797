#include "destination/sqlite_row_binder.h"

#include "core/time_text.h"

namespace tidemark {

SqliteRowBinder::SqliteRowBinder(size_t columns)
    : scratch_(new char[(columns + 1) * kSlotBytes]) {}

absl::string_view SqliteRowBinder::SyncedText(int64_t synced_us) {
  if (synced_text_.empty() || synced_us != synced_us_) {
    synced_text_ = FormatUtcMicros(synced_us);
    synced_us_ = synced_us;
  }
  return synced_text_;
}

int SqliteRowBinder::Bind(sqlite3_stmt* statement, int parameter, const Value& value,
                          size_t slot) {
  size_t length = 0;
  char* const scratch = scratch_.get() + slot * kSlotBytes;
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
      length = FormatDateTo(value.i64, scratch);
      break;
    case ValueKind::kTime:
      length = FormatTimeOfDayTo(value.i64, scratch);
      break;
    case ValueKind::kTimestamp:
      length = FormatUtcMicrosTo(value.i64, scratch);
      break;
    case ValueKind::kNaiveTimestamp:
      length = FormatNaiveMicrosTo(value.i64, scratch);
      break;
  }
  return sqlite3_bind_text64(statement, parameter, scratch, length, SQLITE_STATIC, SQLITE_UTF8);
}

}  // namespace tidemark
