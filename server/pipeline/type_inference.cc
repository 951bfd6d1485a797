#include "pipeline/type_inference.h"

#include "core/time_text.h"

namespace tidemark {
namespace {

DataType TypeOfText(absl::string_view text) {
  auto parsed = ParseTime(text);
  if (!parsed.ok()) return DataType::kString;
  if (parsed->date_only) return DataType::kNaiveDate;
  return parsed->had_zone ? DataType::kUtcDatetime : DataType::kNaiveDatetime;
}

}  // namespace

ColumnType InferredType(const Value& value, bool dates) {
  ColumnType type;
  switch (value.kind) {
    case ValueKind::kNull:
    case ValueKind::kUnchanged:
      break;
    case ValueKind::kBool:
      type.type = DataType::kBoolean;
      break;
    case ValueKind::kInt64:
      type.type = DataType::kLong;
      type.max_abs = AbsOf(value.i64);
      break;
    case ValueKind::kDouble:
      type.type = DataType::kDouble;
      break;
    case ValueKind::kDecimal:
      type.type = DataType::kDecimal;
      break;
    case ValueKind::kString:
      type.type = dates ? TypeOfText(value.view()) : DataType::kString;
      break;
    case ValueKind::kBytes:
      type.type = DataType::kBinary;
      break;
    case ValueKind::kJson:
      type.type = DataType::kJson;
      break;
    case ValueKind::kDate:
      type.type = DataType::kNaiveDate;
      break;
    case ValueKind::kTime:
      type.type = DataType::kNaiveTime;
      break;
    case ValueKind::kTimestamp:
      type.type = DataType::kUtcDatetime;
      break;
    case ValueKind::kNaiveTimestamp:
      type.type = DataType::kNaiveDatetime;
      break;
  }
  return type;
}

}  // namespace tidemark
