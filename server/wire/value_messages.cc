#include "wire/value_messages.h"

#include <google/protobuf/unknown_field_set.h>

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "tidemark/v1/connector.pb.h"

namespace tidemark {
namespace {

absl::StatusOr<Value> TextValue(ValueKind kind, const std::string& text) {
  if (text.size() > UINT32_MAX) {
    return absl::InvalidArgumentError(
        absl::StrCat("a text of ", text.size(), " bytes, at most 4294967295"));
  }
  return Value::Text(kind, text);
}

}  // namespace

absl::StatusOr<Value> ValueFromMessage(const v1::Value& message) {
  switch (message.value_case()) {
    case v1::Value::kBool:
      return Value::Bool(message.bool_());
    case v1::Value::kInt64:
      return Value::Int64(message.int64());
    case v1::Value::kDouble:
      return Value::Double(message.double_());
    case v1::Value::kDecimal:
      return TextValue(ValueKind::kDecimal, message.decimal());
    case v1::Value::kString:
      return TextValue(ValueKind::kString, message.string());
    case v1::Value::kBytes:
      return TextValue(ValueKind::kBytes, message.bytes());
    case v1::Value::kJson:
      return TextValue(ValueKind::kJson, message.json());
    case v1::Value::kDateDays:
      return Value::Int(ValueKind::kDate, message.date_days());
    case v1::Value::kTimeUs:
      return Value::Int(ValueKind::kTime, message.time_us());
    case v1::Value::kTimestampUs:
      return Value::Int(ValueKind::kTimestamp, message.timestamp_us());
    case v1::Value::kNaiveTimestampUs:
      return Value::Int(ValueKind::kNaiveTimestamp, message.naive_timestamp_us());
    case v1::Value::VALUE_NOT_SET:
      break;
  }
  // A kind of value of a newer version is no NULL.
  const google::protobuf::UnknownFieldSet& unknown =
      message.GetReflection()->GetUnknownFields(message);
  if (!unknown.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("field number ", unknown.field(0).number(), " of Value is not known here"));
  }
  return Value::Null();
}

void ValueToMessage(const Value& value, v1::Value* message) {
  message->Clear();
  switch (value.kind) {
    case ValueKind::kNull:
    case ValueKind::kUnchanged:
      break;
    case ValueKind::kBool:
      message->set_bool_(value.i64 != 0);
      break;
    case ValueKind::kInt64:
      message->set_int64(value.i64);
      break;
    case ValueKind::kDouble:
      message->set_double_(value.f64);
      break;
    case ValueKind::kDecimal:
      message->set_decimal(value.text, value.length);
      break;
    case ValueKind::kString:
      message->set_string(value.text, value.length);
      break;
    case ValueKind::kBytes:
      message->set_bytes(value.text, value.length);
      break;
    case ValueKind::kJson:
      message->set_json(value.text, value.length);
      break;
    case ValueKind::kDate:
      message->set_date_days(value.i64);
      break;
    case ValueKind::kTime:
      message->set_time_us(value.i64);
      break;
    case ValueKind::kTimestamp:
      message->set_timestamp_us(value.i64);
      break;
    case ValueKind::kNaiveTimestamp:
      message->set_naive_timestamp_us(value.i64);
      break;
  }
}

absl::StatusOr<std::vector<Setting>> SettingsFromMessage(const v1::Configuration& message) {
  std::vector<Setting> settings;
  settings.reserve(static_cast<size_t>(message.settings_size()));
  for (const v1::Setting& from : message.settings()) {
    if (from.name().empty() || HasNul(from.name())) {
      return absl::InvalidArgumentError("a setting without a name, or with U+0000 in it");
    }
    absl::StatusOr<Value> value = ValueFromMessage(from.value());
    if (!value.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("setting ", from.name(), ": ", value.status().message()));
    }
    Setting& setting = settings.emplace_back();
    setting.name = from.name();
    setting.kind = value->kind;
    if (value->is_text()) {
      setting.text.assign(value->text, value->length);
    } else if (value->kind == ValueKind::kDouble) {
      setting.f64 = value->f64;
    } else {
      setting.i64 = value->i64;
    }
  }
  return settings;
}

void SettingsToMessage(absl::Span<const Setting> settings, v1::Configuration* message) {
  message->clear_settings();
  for (const Setting& setting : settings) {
    v1::Setting* to = message->add_settings();
    to->set_name(setting.name);
    Value value = Value::Int(setting.kind, setting.i64);
    if (value.is_text()) value = Value::Text(setting.kind, setting.text);
    if (setting.kind == ValueKind::kDouble) value = Value::Double(setting.f64);
    ValueToMessage(value, to->mutable_value());
  }
}

}  // namespace tidemark
