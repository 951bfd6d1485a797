#include "destination/sqlite_stored_rows.h"

#include <sqlite3.h>

#include <limits>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/time_text.h"
#include "destination/sqlite_dialect.h"
#include "destination/sqlite_row_binder.h"

namespace tidemark {
namespace {

constexpr size_t kTimeBytes = 40;

// The value that the binder would have written as `text`; a STRING where there is none.
template <typename Parse, typename Format>
Value TimeOf(absl::string_view text, ValueKind kind, Parse parse, Format format) {
  int64_t number = 0;
  if (text == "infinity") {
    number = std::numeric_limits<int64_t>::max();
  } else if (text == "-infinity") {
    number = std::numeric_limits<int64_t>::min();
  } else if (!parse(text, &number)) {
    return Value::String(text);
  }
  char written[kTimeBytes];
  if (absl::string_view(written, format(number, written)) != text) return Value::String(text);
  return Value::Int(kind, number);
}

bool ParseInto(const absl::StatusOr<int64_t>& parsed, int64_t* number) {
  if (parsed.ok()) *number = *parsed;
  return parsed.ok();
}
bool ParseInstant(absl::string_view text, int64_t* us) {
  const absl::StatusOr<ParsedTime> parsed = ParseTime(text);
  if (parsed.ok()) *us = parsed->us;
  return parsed.ok();
}

Value TextValue(absl::string_view text, DataType type) {
  switch (type) {
    case DataType::kDecimal:
      return Value::Text(ValueKind::kDecimal, text);
    case DataType::kJson:
      return Value::Text(ValueKind::kJson, text);
    case DataType::kNaiveDate:
      return TimeOf(
          text, ValueKind::kDate,
          [](absl::string_view t, int64_t* n) { return ParseInto(ParseDate(t), n); }, FormatDateTo);
    case DataType::kNaiveTime:
      return TimeOf(
          text, ValueKind::kTime,
          [](absl::string_view t, int64_t* n) { return ParseInto(ParseTimeOfDay(t), n); },
          FormatTimeOfDayTo);
    case DataType::kNaiveDatetime:
      return TimeOf(text, ValueKind::kNaiveTimestamp, ParseInstant, FormatNaiveMicrosTo);
    case DataType::kUtcDatetime:
      return TimeOf(text, ValueKind::kTimestamp, ParseInstant, FormatUtcMicrosTo);
    default:
      return Value::String(text);
  }
}

// Text and bytes are borrowed from the statement's row.
Value CellValue(const SqliteStatement& row, int column, DataType type) {
  switch (sqlite3_column_type(row.get(), column)) {
    case SQLITE_NULL:
      return Value::Null();
    case SQLITE_INTEGER: {
      const int64_t number = row.Int(column);
      const bool boolean = type == DataType::kBoolean && (number == 0 || number == 1);
      return boolean ? Value::Bool(number != 0) : Value::Int64(number);
    }
    case SQLITE_FLOAT:
      return Value::Double(sqlite3_column_double(row.get(), column));
    case SQLITE_BLOB:
      return Value::Text(ValueKind::kBytes, row.Bytes(column));
    default:
      return TextValue(row.Text(column), type);
  }
}

class SqliteStoredRows final : public StoredRows {
 public:
  SqliteStoredRows(SqliteConnection& connection, const TargetTable& table,
                   const std::vector<size_t>& key, const std::set<std::string>& standing)
      : connection_(connection), key_(key), binder_(2 * key.size()) {
    std::vector<std::string> columns;
    std::vector<std::string> keys;
    for (const TargetColumn& column : table.columns) {
      const bool there = standing.count(absl::AsciiStrToLower(column.name)) != 0;
      columns.push_back(there ? QuoteIdentifier(column.name) : "NULL");
      types_.push_back(column.type.type);
    }
    keys.reserve(key.size());
    for (const size_t column : key) keys.push_back(columns[column]);
    key_text_ = absl::StrCat("(", absl::StrJoin(keys, ","), ")");
    order_ = absl::StrJoin(keys, ",");
    marks_ = "(?";
    for (size_t i = 1; i < key.size(); ++i) marks_ += ",?";
    marks_ += ")";
    const bool soft = standing.count(kDeletedColumn) != 0;
    deleted_ = soft ? absl::StrCat("coalesce(", kDeletedColumn, ", 0) <> 0") : "0";
    select_ = absl::StrCat("SELECT ", absl::StrJoin(columns, ","), ", ", deleted_, " FROM ",
                           QuoteIdentifier(table.name));
    has_synced_ = standing.count(kSyncedColumn) != 0;
  }

  absl::Status ReadRange(absl::Span<const Value> lower, absl::Span<const Value> upper,
                         Row row) override {
    std::string sql = absl::StrCat(select_, " WHERE NOT ", deleted_);
    if (!lower.empty()) absl::StrAppend(&sql, " AND ", key_text_, " >= ", marks_);
    if (!upper.empty()) absl::StrAppend(&sql, " AND ", key_text_, " < ", marks_);
    absl::StrAppend(&sql, " ORDER BY ", order_);
    absl::StatusOr<SqliteStatement> rows = connection_.Prepare(sql);
    if (!rows.ok()) return rows.status();
    int parameter = 0;
    for (const absl::Span<const Value> bound : {lower, upper}) {
      for (const Value& value : bound) Bind(*rows, ++parameter, value);
    }
    return Stream(*rows, [&](absl::Span<const Value> values, bool) { return row(values); });
  }

  absl::Status ReadKey(absl::Span<const Value> key, Row row) override {
    if (!by_key_) {
      absl::StatusOr<SqliteStatement> prepared = connection_.Prepare(
          absl::StrCat(select_, " WHERE NOT ", deleted_, " AND ", key_text_, " = ", marks_));
      if (!prepared.ok()) return prepared.status();
      by_key_ = *std::move(prepared);
    }
    int parameter = 0;
    for (const Value& value : key) Bind(by_key_, ++parameter, value);
    absl::Status status =
        Stream(by_key_, [&](absl::Span<const Value> values, bool) { return row(values); });
    by_key_.Reset();
    return status;
  }

  absl::Status ReadNewest(
      int64_t count, absl::FunctionRef<absl::Status(absl::Span<const Value>, bool)> row) override {
    absl::StatusOr<SqliteStatement> rows = connection_.Prepare(absl::StrCat(
        select_, has_synced_ ? absl::StrCat(" ORDER BY ", kSyncedColumn, " DESC") : std::string(),
        " LIMIT ", count));
    if (!rows.ok()) return rows.status();
    return Stream(*rows, row);
  }

 private:
  void Bind(SqliteStatement& statement, int parameter, const Value& value) {
    binder_.Bind(statement.get(), parameter, value, static_cast<size_t>(parameter - 1));
  }

  absl::Status Stream(SqliteStatement& rows,
                      absl::FunctionRef<absl::Status(absl::Span<const Value>, bool)> row) {
    std::vector<Value> values(types_.size());
    while (true) {
      absl::StatusOr<bool> there = connection_.Next(rows);
      if (!there.ok()) return there.status();
      if (!*there) return absl::OkStatus();
      for (size_t i = 0; i < types_.size(); ++i) {
        values[i] = CellValue(rows, static_cast<int>(i), types_[i]);
      }
      const bool deleted = rows.Int(static_cast<int>(types_.size())) != 0;
      if (absl::Status status = row(values, deleted); !status.ok()) return status;
    }
  }

  SqliteConnection& connection_;
  const std::vector<size_t> key_;
  std::vector<DataType> types_;  // by column
  SqliteRowBinder binder_;
  std::string select_;
  std::string deleted_;   // SQL: is the row marked as deleted?
  std::string key_text_;  // (a,b)
  std::string marks_;     // (?,?)
  std::string order_;
  bool has_synced_ = false;
  SqliteStatement by_key_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StoredRows>> OpenSqliteStoredRows(SqliteConnection& connection,
                                                                 const TargetTable& table,
                                                                 const std::vector<size_t>& key) {
  std::set<std::string> standing;
  absl::StatusOr<SqliteStatement*> columns =
      connection.Query("SELECT name FROM pragma_table_xinfo(?)", table.name);
  if (!columns.ok()) return columns.status();
  while (true) {
    absl::StatusOr<bool> row = connection.Next(**columns);
    if (!row.ok()) return row.status();
    if (!*row) break;
    standing.insert(absl::AsciiStrToLower((*columns)->Text(0)));
  }
  if (standing.empty()) {
    return absl::NotFoundError(
        absl::StrCat("there is no table \"", table.name, "\" in ", connection.path()));
  }
  return std::make_unique<SqliteStoredRows>(connection, table, key, standing);
}

}  // namespace tidemark
