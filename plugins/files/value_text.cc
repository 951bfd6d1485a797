#include "files/value_text.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cursors/time_text.h"
#include "nlohmann/json.hpp"

namespace tidemark::files {
namespace {

struct TypeName {
  absl::string_view name;
  Type type;
};
constexpr TypeName kTypes[] = {
    {"BOOLEAN", kBoolean},
    {"SHORT", kShort},
    {"INT", kInt},
    {"LONG", kLong},
    {"DECIMAL", kDecimal},
    {"FLOAT", kFloat},
    {"DOUBLE", kDouble},
    {"NAIVE_DATE", kNaiveDate},
    {"NAIVE_TIME", kNaiveTime},
    {"NAIVE_DATETIME", kNaiveDatetime},
    {"UTC_DATETIME", kUtcDatetime},
    {"XML", kXml},
    {"STRING", kString},
    {"JSON", kJson},
};

absl::Status NotOf(Type type) {
  for (const TypeName& t : kTypes) {
    if (t.type == type) return absl::InvalidArgumentError(absl::StrCat("not a ", t.name));
  }
  return absl::InvalidArgumentError("not of its type");
}

// -?digits(.digits)?, without zeros in front.
bool IsPlainNumber(absl::string_view text, bool* whole) {
  absl::ConsumePrefix(&text, "-");
  const size_t digits = text.find_first_not_of("0123456789");
  const absl::string_view before = text.substr(0, digits);
  if (before.empty() || (before.size() > 1 && before[0] == '0')) return false;
  *whole = digits == absl::string_view::npos;
  if (*whole) return true;
  const absl::string_view after = text.substr(digits + 1);
  return text[digits] == '.' && !after.empty() &&
         after.find_first_not_of("0123456789") == absl::string_view::npos;
}

absl::StatusOr<Value> ReadNumber(absl::string_view text, Type type) {
  if (type == kDecimal) {
    absl::string_view digits = text;
    absl::ConsumePrefix(&digits, "-");
    const size_t point = digits.find('.');
    const absl::string_view parts[] = {
        digits.substr(0, point), point == absl::string_view::npos ? "0" : digits.substr(point + 1)};
    for (const absl::string_view part : parts) {
      if (part.empty() || part.find_first_not_of("0123456789") != absl::string_view::npos) {
        return NotOf(type);
      }
    }
    return Value::Decimal(text);
  }
  if (type == kDouble || type == kFloat) {
    double number = 0;
    if (!absl::SimpleAtod(text, &number)) return NotOf(type);
    return Value(number);
  }
  int64_t number = 0;
  const int64_t limit = type == kShort ? std::numeric_limits<int16_t>::max()
                        : type == kInt ? std::numeric_limits<int32_t>::max()
                                       : std::numeric_limits<int64_t>::max();
  if (!absl::SimpleAtoi(text, &number) || number > limit || number < -limit - 1) {
    return NotOf(type);
  }
  return Value(number);
}

absl::StatusOr<Value> ReadTimeOfType(absl::string_view text, Type type) {
  if (type == kNaiveTime) {
    const auto time = cursors::ParseTime(absl::StrCat("1970-01-01T", text));
    if (!time.ok() || time->had_zone) return NotOf(type);
    return Value::TimeOfDay(time->time - absl::UnixEpoch());
  }
  const auto time = cursors::ParseTime(text);
  if (!time.ok()) return NotOf(type);
  if (type == kNaiveDate) {
    if (time->precision != cursors::Precision::kDay) return NotOf(type);
    return Value::Date(absl::ToCivilDay(time->time, absl::UTCTimeZone()));
  }
  if (type == kUtcDatetime) return Value::Timestamp(time->time);
  if (time->had_zone) return NotOf(type);
  return Value::NaiveTimestampMicros(absl::ToUnixMicros(time->time));
}

}  // namespace

std::optional<TypeText> TypeText::Parse(absl::string_view text) {
  TypeText out;
  const std::string upper = absl::AsciiStrToUpper(absl::StripAsciiWhitespace(text));
  absl::string_view name = upper;
  if (absl::ConsumePrefix(&name, "DECIMAL(") && absl::ConsumeSuffix(&name, ")")) {
    const std::vector<absl::string_view> numbers = absl::StrSplit(name, ',');
    if (numbers.empty() || numbers.size() > 2 || !absl::SimpleAtoi(numbers[0], &out.precision) ||
        (numbers.size() == 2 && !absl::SimpleAtoi(numbers[1], &out.scale)) || out.precision < 1 ||
        out.scale < 0 || out.scale > out.precision) {
      return std::nullopt;
    }
    out.type = kDecimal;
    return out;
  }
  for (const TypeName& t : kTypes) {
    if (t.name != upper) continue;
    out.type = t.type;
    return out;
  }
  return std::nullopt;
}

absl::StatusOr<Value> ReadValue(absl::string_view text, Type type) {
  switch (type) {
    case kBoolean: {
      bool value = false;
      if (!absl::SimpleAtob(text, &value)) return NotOf(type);
      return Value(value);
    }
    case kShort:
    case kInt:
    case kLong:
    case kDecimal:
    case kFloat:
    case kDouble:
      return ReadNumber(text, type);
    case kNaiveDate:
    case kNaiveTime:
    case kNaiveDatetime:
    case kUtcDatetime:
      return ReadTimeOfType(text, type);
    case kJson:
      if (!nlohmann::json::accept(text.begin(), text.end())) return NotOf(type);
      return Value::Json(text);
    default:
      return Value(text);
  }
}

Value InferValue(absl::string_view text) {
  bool whole = false;
  if (!IsPlainNumber(text, &whole) || text == "-0") return text;
  int64_t number = 0;
  if (whole && absl::SimpleAtoi(text, &number)) return number;
  return Value::Decimal(text);
}

}  // namespace tidemark::files
