#include "rest/row_conversion.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "nlohmann/json.hpp"

namespace tidemark::rest {
namespace {

using Kind = JsonValue::Kind;

constexpr int64_t kMaxExponent = 1000;  // digits a number may grow by when it is written out

bool IsWhole(absl::string_view digits) {
  return digits.find_first_of(".eE") == absl::string_view::npos;
}

// A JSON number without its exponent, or nothing if that takes too many digits.
std::optional<std::string> WriteOut(absl::string_view number) {
  const size_t e = number.find_first_of("eE");
  if (e == absl::string_view::npos) return std::string(number);
  int64_t exponent = 0;
  if (!absl::SimpleAtoi(absl::StripPrefix(number.substr(e + 1), "+"), &exponent) ||
      exponent < -kMaxExponent || exponent > kMaxExponent) {
    return std::nullopt;
  }
  absl::string_view mantissa = number.substr(0, e);
  const bool negative = absl::ConsumePrefix(&mantissa, "-");
  const size_t point = mantissa.find('.');
  std::string digits(mantissa.substr(0, point));
  int64_t whole = static_cast<int64_t>(digits.size()) + exponent;  // digits before the point
  if (point != absl::string_view::npos) absl::StrAppend(&digits, mantissa.substr(point + 1));
  std::string out;
  if (negative) out.push_back('-');
  if (whole <= 0) {
    out.append("0.");
    out.append(static_cast<size_t>(-whole), '0');
    return out.append(digits);
  }
  const auto point_at = static_cast<size_t>(whole);
  out.append(digits, 0, point_at);
  if (digits.size() < point_at) out.append(point_at - digits.size(), '0');
  if (digits.size() <= point_at) return out;
  out.push_back('.');
  return out.append(digits, point_at, std::string::npos);
}

bool IsDecimalText(absl::string_view text) {
  return IsJsonNumber(text) && text.find_first_of("eE") == absl::string_view::npos;
}

absl::Status NotOfType(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("is not ", what));
}

absl::StatusOr<Value> ToBoolean(const JsonValue& value) {
  if (value.kind == Kind::kBool) return Value(value.truth);
  const std::string text = absl::AsciiStrToLower(value.text);
  if (text == "true" || text == "1") return Value(true);
  if (text == "false" || text == "0") return Value(false);
  return NotOfType("a truth value");
}

absl::StatusOr<Value> ToWhole(const JsonValue& value, Type type) {
  int64_t number = 0;
  const bool readable = value.kind == Kind::kNumber || value.kind == Kind::kString;
  const int64_t limit = type == kShort ? std::numeric_limits<int16_t>::max()
                        : type == kInt ? std::numeric_limits<int32_t>::max()
                                       : std::numeric_limits<int64_t>::max();
  if (!readable || !absl::SimpleAtoi(value.text, &number) || number > limit ||
      number < -limit - 1) {
    return NotOfType("a whole number of its size");
  }
  return Value(number);
}

absl::StatusOr<Value> ToDouble(const JsonValue& value) {
  double number = 0;
  const bool readable = value.kind == Kind::kNumber || value.kind == Kind::kString;
  if (!readable || !absl::SimpleAtod(value.text, &number)) return NotOfType("a number");
  return Value(number);
}

}  // namespace

absl::StatusOr<cursors::SourceTime> ReadTime(const JsonValue& value, EpochUnit unit,
                                             const cursors::ZoneRule& rule) {
  int64_t number = 0;
  if (unit != EpochUnit::kNone && absl::SimpleAtoi(value.text, &number)) {
    cursors::SourceTime time;
    time.had_zone = true;
    time.time =
        unit == EpochUnit::kSeconds ? absl::FromUnixSeconds(number) : absl::FromUnixMillis(number);
    time.precision = unit == EpochUnit::kSeconds ? cursors::Precision::kSecond
                                                 : cursors::Precision::kMillisecond;
    return time;
  }
  if (value.kind != Kind::kString) return absl::InvalidArgumentError("it is not a time");
  return cursors::ParseTime(value.text, rule);
}

RowConversion::RowConversion(std::vector<ColumnDefinition> columns, std::vector<std::string> key,
                             cursors::ZoneRule rule)
    : columns_(std::move(columns)), key_(std::move(key)), rule_(rule) {
  for (const ColumnDefinition& column : columns_) by_name_[column.name] = &column;
}

Value RowConversion::Keep(Value (*make)(absl::string_view), std::string text) {
  texts_.push_back(std::move(text));
  return make(texts_.back());
}

absl::StatusOr<Value> RowConversion::NumberOf(absl::string_view digits) {
  int64_t whole = 0;
  double number = 0;
  if (IsWhole(digits)) {
    if (absl::SimpleAtoi(digits, &whole)) return Value(whole);
    return Value::Decimal(digits);
  }
  if (absl::SimpleAtod(digits, &number) && std::isfinite(number)) return Value(number);
  std::optional<std::string> text = WriteOut(digits);
  if (!text) return NotOfType("a number that can be stored");
  return Keep(&Value::Decimal, *std::move(text));
}

absl::StatusOr<Value> RowConversion::ToTime(const ColumnDefinition& column,
                                            const JsonValue& value) {
  if (column.type == kNaiveTime) {
    const auto day = cursors::ParseTime(absl::StrCat("1970-01-01T", value.text));
    if (!day.ok() || day->had_zone) return NotOfType("a time of day");
    return Value::TimeOfDay(day->time - absl::UnixEpoch());
  }
  // What a clock on the wall shows is taken as it stands; text with an offset is put into UTC.
  const bool naive = column.type != kUtcDatetime;
  const auto time = ReadTime(value, column.unit, naive ? cursors::ZoneRule() : rule_);
  if (!time.ok()) return time.status();
  if (column.type == kUtcDatetime) return Value::Timestamp(time->time);
  if (column.type == kNaiveDatetime)
    return Value::NaiveTimestampMicros(absl::ToUnixMicros(time->time));
  return Value::Date(absl::ToCivilDay(time->time, absl::UTCTimeZone()));
}

absl::StatusOr<Value> RowConversion::ToDeclared(const ColumnDefinition& column,
                                                const JsonValue& value) {
  switch (column.type) {
    case kBoolean:
      return ToBoolean(value);
    case kShort:
    case kInt:
    case kLong:
      return ToWhole(value, column.type);
    case kDecimal: {
      std::optional<std::string> text;
      if (IsJsonNumber(value.text)) text = WriteOut(value.text);
      if (!text || !IsDecimalText(*text)) return NotOfType("a decimal number");
      return Keep(&Value::Decimal, *std::move(text));
    }
    case kFloat:
    case kDouble:
      return ToDouble(value);
    case kNaiveDate:
    case kNaiveTime:
    case kNaiveDatetime:
    case kUtcDatetime:
      return ToTime(column, value);
    case kBinary: {
      std::string bytes;
      if (value.kind != Kind::kString || !absl::Base64Unescape(value.text, &bytes)) {
        return NotOfType("base64");
      }
      return Keep(&Value::Bytes, std::move(bytes));
    }
    case kJson:
      if (value.kind != Kind::kString) return Value::Json(value.text);
      return Keep(&Value::Json,
                  nlohmann::json(std::string(value.text))
                      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    default:  // STRING and XML: numbers and nested values as they are written
      return Value(value.text);
  }
}

absl::StatusOr<Value> RowConversion::ToValue(const JsonField& field) {
  const JsonValue& value = field.value;
  if (value.kind == Kind::kNull) return Value::Null();
  const auto column = by_name_.find(field.name);
  if (column != by_name_.end() && column->second->type != kUndeclared) {
    return ToDeclared(*column->second, value);
  }
  switch (value.kind) {
    case Kind::kBool:
      return Value(value.truth);
    case Kind::kNumber:
      return NumberOf(value.text);
    case Kind::kString:
      return Value(value.text);
    default:
      return Value::Json(value.text);
  }
}

absl::Status RowConversion::CheckKey(const JsonRecord& record) const {
  for (const std::string& name : key_) {
    const JsonValue* value = record.Find(name);
    if (value == nullptr || value->kind == Kind::kNull) {
      return absl::InvalidArgumentError(absl::StrCat("the record has no value for its key ", name));
    }
  }
  return absl::OkStatus();
}

absl::Status RowConversion::Convert(const JsonRecord& record, std::vector<Field>* row) {
  row->clear();
  texts_.clear();
  if (absl::Status s = CheckKey(record); !s.ok()) return s;
  for (const JsonField& field : record.fields()) {
    absl::StatusOr<Value> value = ToValue(field);
    if (!value.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("column ", field.name, ": ", value.status().message()));
    }
    row->push_back({field.name, *value});
  }
  return absl::OkStatus();
}

absl::Status RowConversion::ConvertKey(const JsonRecord& record, std::vector<Field>* row) {
  if (absl::Status s = Convert(record, row); !s.ok()) return s;
  std::erase_if(*row, [this](const Field& f) { return !absl::c_linear_search(key_, f.name); });
  return absl::OkStatus();
}

std::string RowConversion::KeyJson(const JsonRecord& record) const {
  nlohmann::json key = nlohmann::json::object();
  for (const std::string& name : key_) {
    if (const JsonValue* value = record.Find(name); value != nullptr) {
      key[name] = std::string(value->text);
    }
  }
  return key.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace tidemark::rest
