#include "pipeline/value_conversion.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/digest.h"
#include "core/time_text.h"

namespace tidemark {
namespace {

constexpr size_t kBlockBytes = 16 * 1024;
constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;
constexpr int64_t kExactInDouble = int64_t{1} << 53;

absl::string_view KindName(ValueKind kind) {
  static constexpr absl::string_view kNames[] = {
      "NULL",  "UNCHANGED", "a boolean", "an integer", "a double",    "a decimal",        "a text",
      "bytes", "JSON",      "a date",    "a time",     "a timestamp", "a naive timestamp"};
  return kNames[static_cast<uint32_t>(kind)];
}

absl::Status Refused(const Value& value, DataType type) {
  return absl::InvalidArgumentError(
      absl::StrCat(KindName(value.kind), " does not fit ", DataTypeName(type)));
}

absl::Status Refused(absl::string_view reason) { return absl::InvalidArgumentError(reason); }

bool InRange(int64_t value, DataType type) {
  if (type == DataType::kShort) {
    return value >= std::numeric_limits<int16_t>::min() &&
           value <= std::numeric_limits<int16_t>::max();
  }
  if (type == DataType::kInt) {
    return value >= std::numeric_limits<int32_t>::min() &&
           value <= std::numeric_limits<int32_t>::max();
  }
  return true;
}

int64_t FloorDays(int64_t us) { return us / kDayUs - (us % kDayUs < 0 ? 1 : 0); }

bool IsFinite(const Value& value) {
  return value.kind != ValueKind::kDouble || std::isfinite(value.f64);
}

}  // namespace

absl::string_view TextArena::Keep(absl::string_view text) {
  if (text.empty()) return absl::string_view("", 0);
  if (blocks_.empty() || block_size_ - used_ < text.size()) {
    block_size_ = std::max(kBlockBytes, text.size());
    blocks_.push_back(std::make_unique<char[]>(block_size_));
    used_ = 0;
  }
  char* place = blocks_.back().get() + used_;
  std::memcpy(place, text.data(), text.size());
  used_ += text.size();
  return absl::string_view(place, text.size());
}

ConversionNotes& ConversionNotes::operator+=(const ConversionNotes& other) {
  nan += other.nan;
  infinity += other.infinity;
  nul_stripped += other.nul_stripped;
  truncated += other.truncated;
  leap_seconds += other.leap_seconds;
  return *this;
}

ValueKind StoredKind(DataType type) {
  switch (type) {
    case DataType::kUndeclared:
      return ValueKind::kNull;
    case DataType::kBoolean:
      return ValueKind::kBool;
    case DataType::kShort:
    case DataType::kInt:
    case DataType::kLong:
      return ValueKind::kInt64;
    case DataType::kDecimal:
      return ValueKind::kDecimal;
    case DataType::kFloat:
    case DataType::kDouble:
      return ValueKind::kDouble;
    case DataType::kNaiveDate:
      return ValueKind::kDate;
    case DataType::kNaiveTime:
      return ValueKind::kTime;
    case DataType::kNaiveDatetime:
      return ValueKind::kNaiveTimestamp;
    case DataType::kUtcDatetime:
      return ValueKind::kTimestamp;
    case DataType::kBinary:
      return ValueKind::kBytes;
    case DataType::kXml:
    case DataType::kString:
      return ValueKind::kString;
    case DataType::kJson:
      return ValueKind::kJson;
  }
  return ValueKind::kNull;
}

absl::StatusOr<Value> ValueConverter::Convert(const Value& value, const ColumnType& type,
                                              TextArena* arena, ConversionNotes* notes) {
  if (value.is_text() && options_.max_value_bytes != 0 && value.length > options_.max_value_bytes) {
    return Refused(absl::StrCat("a value of ", value.length, " bytes; the destination holds ",
                                options_.max_value_bytes));
  }
  if (value.kind == ValueKind::kDecimal && !IsDecimal(value.view())) {
    return Refused("a decimal that is not written as one");
  }
  switch (type.type) {
    case DataType::kUndeclared:
      return Refused("no type is known for the column");
    case DataType::kBoolean:
      if (value.kind == ValueKind::kBool) return Value::Bool(value.i64 != 0);
      if (value.kind == ValueKind::kInt64 && (value.i64 == 0 || value.i64 == 1)) {
        return Value::Bool(value.i64 == 1);
      }
      if (value.kind == ValueKind::kString && value.view() == "true") return Value::Bool(true);
      if (value.kind == ValueKind::kString && value.view() == "false") return Value::Bool(false);
      return Refused(value, type.type);
    case DataType::kShort:
    case DataType::kInt:
    case DataType::kLong:
      return ToInteger(value, type.type);
    case DataType::kDecimal:
      return ToDecimal(value, type, arena, notes);
    case DataType::kFloat:
    case DataType::kDouble:
      return ToDouble(value, notes);
    case DataType::kNaiveDate:
    case DataType::kNaiveTime:
    case DataType::kNaiveDatetime:
    case DataType::kUtcDatetime:
      return ToTime(value, type.type, notes);
    case DataType::kBinary:
      if (value.kind == ValueKind::kBytes) return value;
      if (value.kind == ValueKind::kString) return Value::Text(ValueKind::kBytes, value.view());
      return Refused(value, type.type);
    case DataType::kXml:
    case DataType::kString:
      return ToText(value, type.type, arena, notes);
    case DataType::kJson:
      return ToJson(value, arena);
  }
  return Refused(value, type.type);
}

absl::StatusOr<Value> ValueConverter::ToInteger(const Value& value, DataType type) {
  int64_t number = 0;
  switch (value.kind) {
    case ValueKind::kBool:
    case ValueKind::kInt64:
      number = value.i64;
      break;
    case ValueKind::kDouble:
      if (std::isnan(value.f64) || value.f64 < -0x1p63 || value.f64 >= 0x1p63 ||
          value.f64 != std::trunc(value.f64)) {
        return Refused(absl::StrCat("a double that is no integer of 64 bits does not fit ",
                                    DataTypeName(type)));
      }
      number = static_cast<int64_t>(value.f64);
      break;
    case ValueKind::kDecimal:
    case ValueKind::kString:
      if (!IsDecimal(value.view()) || !absl::SimpleAtoi(CanonicalDecimal(value.view()), &number)) {
        return Refused(absl::StrCat(KindName(value.kind), " that is no integer of 64 bits does not",
                                    " fit ", DataTypeName(type)));
      }
      break;
    default:
      return Refused(value, type);
  }
  if (!InRange(number, type)) {
    return Refused(absl::StrCat("the integer is out of the range of ", DataTypeName(type)));
  }
  return Value::Int64(number);
}

absl::StatusOr<Value> ValueConverter::ToDecimal(const Value& value, const ColumnType& type,
                                                TextArena* arena, ConversionNotes* notes) {
  Value result = value;
  switch (value.kind) {
    case ValueKind::kDecimal:
      break;
    case ValueKind::kInt64:
      result = Value::Text(ValueKind::kDecimal, arena->Keep(absl::StrCat(value.i64)));
      break;
    case ValueKind::kDouble:
      result = Value::Text(
          ValueKind::kDecimal,
          arena->Keep(IsFinite(value) ? DoubleDecimal(value.f64) : DoubleText(value.f64)));
      break;
    case ValueKind::kString:
      if (!IsDecimal(value.view())) {
        return Refused("a text that is no decimal does not fit DECIMAL");
      }
      result.kind = ValueKind::kDecimal;
      break;
    default:
      return Refused(value, type.type);
  }
  if (result.view() == "NaN" && !options_.keeps_nan) {
    ++notes->nan;
    return Value::Null();
  }
  if (!DecimalFits(result.view(), type.precision, type.scale)) {
    return Refused(absl::StrCat("the decimal does not fit DECIMAL(", type.precision, ",",
                                type.scale, ") without rounding"));
  }
  return result;
}

absl::StatusOr<Value> ValueConverter::ToDouble(const Value& value, ConversionNotes* notes) {
  double number = 0;
  switch (value.kind) {
    case ValueKind::kDouble:
      number = value.f64;
      break;
    case ValueKind::kInt64:
      if (value.i64 > kExactInDouble || value.i64 < -kExactInDouble) {
        return Refused("an integer beyond 2^53 does not fit DOUBLE without rounding");
      }
      number = static_cast<double>(value.i64);
      break;
    case ValueKind::kDecimal:
    case ValueKind::kString: {
      if (!absl::SimpleAtod(value.view(), &number)) {
        return Refused("a text that is no number does not fit DOUBLE");
      }
      // Kept when the shortest text of the double is the same number again.
      if (IsDecimal(value.view()) && std::isfinite(number) &&
          DoubleDecimal(number) != CanonicalDecimal(value.view())) {
        return Refused("the number has more digits than a DOUBLE holds");
      }
      break;
    }
    default:
      return Refused(value, DataType::kDouble);
  }
  if (std::isnan(number) && !options_.keeps_nan) {
    ++notes->nan;
    return Value::Null();
  }
  if (std::isinf(number) && !options_.keeps_infinity) {
    ++notes->infinity;
    return Value::Null();
  }
  return Value::Double(number);
}

absl::StatusOr<Value> ValueConverter::ToTime(const Value& value, DataType type,
                                             ConversionNotes* notes) {
  const ValueKind stored = StoredKind(type);
  if (type == DataType::kNaiveTime) {
    int64_t us = value.i64;
    if (value.kind == ValueKind::kString) {
      auto parsed = ParseTimeOfDay(value.view());
      if (!parsed.ok()) return Refused("a text that is no time of day does not fit NAIVE_TIME");
      us = *parsed;
    } else if (value.kind != ValueKind::kTime) {
      return Refused(value, type);
    }
    if (us < 0 || us > kDayUs) return Refused("the time of day is outside of 00:00 to 24:00");
    return Value::Int(stored, us);
  }
  int64_t us = 0;
  switch (value.kind) {
    case ValueKind::kDate:
      if (!IsStorableDate(value.i64)) {
        return Refused("the date is outside of the years 0000 to 9999");
      }
      if (type == DataType::kNaiveDate) return value;
      us = value.i64 * kDayUs;
      break;
    case ValueKind::kTimestamp:
    case ValueKind::kNaiveTimestamp:
      us = value.i64;
      break;
    case ValueKind::kString: {
      auto parsed = ParseTime(value.view());
      if (!parsed.ok()) {
        return Refused(
            absl::StrCat("a text that is no ISO 8601 time does not fit ", DataTypeName(type)));
      }
      notes->truncated += parsed->truncated ? 1 : 0;
      notes->leap_seconds += parsed->leap_second ? 1 : 0;
      us = parsed->us;
      break;
    }
    default:
      return Refused(value, type);
  }
  if (!IsStorableTime(us)) return Refused("the time is outside of the years 0000 to 9999");
  if (type != DataType::kNaiveDate) return Value::Int(stored, us);
  const int64_t days = FloorDays(us);
  if (us != days * kDayUs) return Refused("a time that is not midnight does not fit NAIVE_DATE");
  return Value::Int(stored, days);
}

absl::StatusOr<Value> ValueConverter::ToText(const Value& value, DataType type, TextArena* arena,
                                             ConversionNotes* notes) {
  if (value.kind == ValueKind::kDecimal || value.kind == ValueKind::kJson) {
    if (!IsUtf8(value.view())) return Refused("the text is not UTF-8");
    return Value::String(value.view());
  }
  if (type == DataType::kXml && value.kind != ValueKind::kString) return Refused(value, type);
  if (value.kind == ValueKind::kDouble) return Value::String(arena->Keep(DoubleText(value.f64)));
  if (value.kind != ValueKind::kString) return Value::String(arena->Keep(CanonicalText(value)));
  if (!IsUtf8(value.view())) return Refused("the text is not UTF-8");
  if (!HasNul(value.view())) return value;
  if (!options_.strip_text_nul) {
    return Refused("the text contains U+0000 (text_nul: strip removes it)");
  }
  std::string stripped;
  for (const char c : value.view()) {
    if (c != '\0') stripped.push_back(c);
  }
  ++notes->nul_stripped;
  return Value::String(arena->Keep(stripped));
}

absl::StatusOr<Value> ValueConverter::ToJson(const Value& value, TextArena* arena) {
  switch (value.kind) {
    case ValueKind::kJson:
    case ValueKind::kString:
    case ValueKind::kDecimal: {
      absl::Status valid = json_.Check(value.view());
      if (!valid.ok()) return valid;
      return Value::Text(ValueKind::kJson, value.view());
    }
    case ValueKind::kDouble:
      if (!IsFinite(value)) return Refused("NaN and infinities are not JSON");
      [[fallthrough]];
    case ValueKind::kBool:
    case ValueKind::kInt64:
      return Value::Text(ValueKind::kJson, arena->Keep(CanonicalText(value)));
    default:
      return Refused(value, DataType::kJson);
  }
}

std::string CanonicalText(const Value& value) {
  switch (value.kind) {
    case ValueKind::kNull:
    case ValueKind::kUnchanged:
      return "";
    case ValueKind::kBool:
      return value.i64 != 0 ? "true" : "false";
    case ValueKind::kInt64:
      return absl::StrCat(value.i64);
    case ValueKind::kDouble:
      return IsFinite(value) ? DoubleDecimal(value.f64) : DoubleText(value.f64);
    case ValueKind::kDecimal:
      return IsDecimal(value.view()) ? CanonicalDecimal(value.view()) : std::string(value.view());
    case ValueKind::kString:
    case ValueKind::kJson:
      return std::string(value.view());
    case ValueKind::kBytes:
      return Hex(value.view());
    case ValueKind::kDate:
      return FormatDate(value.i64);
    case ValueKind::kTime:
      return FormatTimeOfDay(value.i64);
    case ValueKind::kTimestamp:
      return FormatUtcMicros(value.i64);
    case ValueKind::kNaiveTimestamp:
      return FormatNaiveMicros(value.i64);
  }
  return "";
}

}  // namespace tidemark
