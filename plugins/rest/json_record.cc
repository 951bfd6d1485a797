#include "rest/json_record.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "simdjson.h"

namespace tidemark::rest {
namespace {

namespace ondemand = simdjson::ondemand;

absl::Status Invalid(simdjson::error_code error) {
  return absl::InvalidArgumentError(
      absl::StrCat("the record is not valid JSON: ", simdjson::error_message(error)));
}

size_t SkipDigits(absl::string_view text, size_t at) {
  while (at < text.size() && absl::ascii_isdigit(static_cast<unsigned char>(text[at]))) ++at;
  return at;
}

simdjson::error_code ReadNested(ondemand::value value, bool object, JsonValue* out) {
  std::string_view text;
  if (object) {
    ondemand::object nested;
    if (const auto error = value.get_object().get(nested)) return error;
    if (const auto error = nested.raw_json().get(text)) return error;
  } else {
    ondemand::array nested;
    if (const auto error = value.get_array().get(nested)) return error;
    if (const auto error = nested.raw_json().get(text)) return error;
  }
  out->kind = JsonValue::Kind::kNested;
  out->text = absl::StripTrailingAsciiWhitespace(View(text));
  return simdjson::SUCCESS;
}

simdjson::error_code ReadValue(ondemand::value value, JsonValue* out) {
  const absl::string_view token = absl::StripTrailingAsciiWhitespace(View(value.raw_json_token()));
  switch (token.empty() ? '\0' : token[0]) {
    case '{':
    case '[':
      return ReadNested(value, token[0] == '{', out);
    case '"': {
      std::string_view text;
      if (const auto error = value.get_string().get(text)) return error;
      out->kind = JsonValue::Kind::kString;
      out->text = View(text);
      return simdjson::SUCCESS;
    }
    default:
      break;
  }
  out->text = token;
  if (token == "null") {
    out->kind = JsonValue::Kind::kNull;
  } else if (token == "true" || token == "false") {
    out->kind = JsonValue::Kind::kBool;
    out->truth = token == "true";
  } else if (IsJsonNumber(token)) {
    out->kind = JsonValue::Kind::kNumber;
  } else {
    return simdjson::NUMBER_ERROR;
  }
  return simdjson::SUCCESS;
}

}  // namespace

bool IsJsonNumber(absl::string_view text) {
  size_t at = !text.empty() && text[0] == '-' ? 1 : 0;
  size_t end = SkipDigits(text, at);
  if (end == at || (text[at] == '0' && end > at + 1)) return false;
  if (end < text.size() && text[end] == '.') {
    at = end + 1;
    end = SkipDigits(text, at);
    if (end == at) return false;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    at = end + 1;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    end = SkipDigits(text, at);
    if (end == at) return false;
  }
  return end == text.size();
}

class JsonRecord::Parser {
 public:
  simdjson::error_code Read(absl::string_view text, std::vector<JsonField>* fields) {
    ondemand::object object;
    if (const auto error =
            parser_.iterate(text.data(), text.size(), text.size() + simdjson::SIMDJSON_PADDING)
                .get(document_)) {
      return error;
    }
    if (const auto error = document_.get_object().get(object)) return error;
    for (auto entry : object) {
      ondemand::field field;
      std::string_view name;
      if (const auto error = std::move(entry).get(field)) return error;
      if (const auto error = field.unescaped_key().get(name)) return error;
      fields->push_back({View(name), {}});
      if (const auto error = ReadValue(field.value(), &fields->back().value)) return error;
    }
    return simdjson::SUCCESS;
  }

 private:
  ondemand::parser parser_;
  ondemand::document document_;
};

JsonRecord::JsonRecord() : parser_(std::make_unique<Parser>()) {}
JsonRecord::~JsonRecord() = default;

absl::Status JsonRecord::Read(absl::string_view text) {
  fields_.clear();
  if (text.empty() || text[0] != '{') {
    return absl::InvalidArgumentError("the record is not a JSON object");
  }
  const simdjson::error_code error = parser_->Read(text, &fields_);
  absl::Status status = error == simdjson::SUCCESS ? CheckNames() : Invalid(error);
  if (!status.ok()) fields_.clear();
  return status;
}

absl::Status JsonRecord::CheckNames() {
  names_.clear();
  for (const JsonField& field : fields_) names_.push_back(field.name);
  std::sort(names_.begin(), names_.end());
  const auto twice = std::adjacent_find(names_.begin(), names_.end());
  if (twice == names_.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the record gives ", *twice, " twice"));
}

const JsonValue* JsonRecord::Find(absl::string_view name) const {
  for (const JsonField& field : fields_) {
    if (field.name == name) return &field.value;
  }
  return nullptr;
}

}  // namespace tidemark::rest
