#include "service/message_check.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/unknown_field_set.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/text.h"
#include "service/call_error.h"

namespace tidemark {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr int64_t kFirstSecond = -62'135'596'800;  // 0001-01-01
constexpr int64_t kLastSecond = 253'402'300'799;   // 9999-12-31T23:59:59

std::string PathOf(const std::string& path, const FieldDescriptor& field) {
  return path.empty() ? field.name() : absl::StrCat(path, ".", field.name());
}

// Names are short; documents (yaml, json, changes) may take the whole message.
size_t LimitOf(const FieldDescriptor& field) {
  const std::string& name = field.name();
  if (name == "idempotency_key") return kMaxIdempotencyKey;
  if (name == "page_token") return kMaxPageToken;
  for (const char* text : {"name", "connection", "table", "tables", "entry", "id", "sync_id",
                           "connections", "status", "backup", "role", "paths"}) {
    if (name == text) return kMaxNameText;
  }
  return std::string::npos;
}

absl::Status CheckText(const FieldDescriptor& field, const std::string& path,
                       const std::string& text) {
  if (text.size() > LimitOf(field)) {
    return WithReason(BadField(path, absl::StrCat("has ", text.size(), " bytes, at most ",
                                                  LimitOf(field), " are taken")),
                      "TOO_LARGE");
  }
  if (field.type() == FieldDescriptor::TYPE_STRING && HasNul(text)) {
    return BadField(path, "holds a byte 0");
  }
  return absl::OkStatus();
}

absl::Status CheckEnum(const FieldDescriptor& field, const std::string& path, int number) {
  if (field.enum_type()->FindValueByNumber(number) != nullptr) return absl::OkStatus();
  return WithReason(
      BadField(path, absl::StrCat(number, " is no value of ", field.enum_type()->full_name(),
                                  " that this server knows")),
      "UNKNOWN_VALUE");
}

absl::Status CheckAt(const Message& message, const std::string& path);

// One value of a field; `index` -1: the field is not repeated.
absl::Status CheckValue(const Message& message, const FieldDescriptor& field,
                        const std::string& path, int index) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return CheckAt(index < 0 ? reflection.GetMessage(message, &field)
                               : reflection.GetRepeatedMessage(message, &field, index),
                     path);
    case FieldDescriptor::CPPTYPE_ENUM:
      return CheckEnum(field, path,
                       index < 0 ? reflection.GetEnumValue(message, &field)
                                 : reflection.GetRepeatedEnumValue(message, &field, index));
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      return CheckText(
          field, path,
          index < 0 ? reflection.GetStringReference(message, &field, &scratch)
                    : reflection.GetRepeatedStringReference(message, &field, index, &scratch));
    }
    default:
      return absl::OkStatus();
  }
}

absl::Status CheckTime(const Message& message, const std::string& path) {
  if (message.GetDescriptor() != google::protobuf::Timestamp::descriptor()) return absl::OkStatus();
  const auto& time = static_cast<const google::protobuf::Timestamp&>(message);
  if (time.seconds() >= kFirstSecond && time.seconds() <= kLastSecond && time.nanos() >= 0 &&
      time.nanos() <= 999'999'999) {
    return absl::OkStatus();
  }
  return BadField(path, "is no time of the years 1 to 9999");
}

absl::Status CheckAt(const Message& message, const std::string& path) {
  const Reflection& reflection = *message.GetReflection();
  if (const auto& unknown = reflection.GetUnknownFields(message); !unknown.empty()) {
    const std::string place = path.empty() ? message.GetDescriptor()->name() : path;
    return WithReason(
        BadField(place, absl::StrCat("field number ", unknown.field(0).number(), " of ",
                                     message.GetDescriptor()->full_name(),
                                     " is not known to this server: misspelt, or newer than it")),
        "UNKNOWN_FIELD");
  }
  if (absl::Status status = CheckTime(message, path); !status.ok()) return status;
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string at = PathOf(path, *field);
    if (!field->is_repeated()) {
      if (absl::Status status = CheckValue(message, *field, at, -1); !status.ok()) return status;
      continue;
    }
    const int count = reflection.FieldSize(message, field);
    if (count > kMaxRepeated) {
      return WithReason(BadField(at, absl::StrCat("has ", count, " elements, at most ",
                                                  kMaxRepeated, " are taken")),
                        "TOO_LARGE");
    }
    for (int i = 0; i < count; ++i) {
      if (absl::Status status = CheckValue(message, *field, absl::StrCat(at, "[", i, "]"), i);
          !status.ok()) {
        return status;
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckMessage(const Message& message) { return CheckAt(message, ""); }

}  // namespace tidemark
