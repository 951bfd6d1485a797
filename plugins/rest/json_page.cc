#include "rest/json_page.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "rest/json_record.h"
#include "simdjson.h"

namespace tidemark::rest {
namespace {

namespace ondemand = simdjson::ondemand;
static_assert(JsonPage::kPadding >= simdjson::SIMDJSON_PADDING);

absl::Status NotJson(simdjson::error_code error) {
  return absl::FailedPreconditionError(
      absl::StrCat("the answer is not valid JSON: ", simdjson::error_message(error)));
}

bool IsMissing(simdjson::error_code error) {
  return error == simdjson::NO_SUCH_FIELD || error == simdjson::INDEX_OUT_OF_BOUNDS ||
         error == simdjson::INCORRECT_TYPE;
}

// The text of a list's element, without the blanks behind it.
simdjson::error_code TextOf(ondemand::value value, absl::string_view* text) {
  ondemand::json_type type;
  std::string_view raw;
  if (const auto error = value.type().get(type)) return error;
  if (type == ondemand::json_type::object) {
    ondemand::object object;
    if (const auto error = value.get_object().get(object)) return error;
    if (const auto error = object.raw_json().get(raw)) return error;
  } else if (type == ondemand::json_type::array) {
    ondemand::array array;
    if (const auto error = value.get_array().get(array)) return error;
    if (const auto error = array.raw_json().get(raw)) return error;
  } else {
    raw = value.raw_json_token();
  }
  *text = absl::StripTrailingAsciiWhitespace(View(raw));
  return simdjson::SUCCESS;
}

}  // namespace

class JsonPage::Document {
 public:
  explicit Document(std::string body) : body_(std::move(body)) {
    body_.reserve(body_.size() + kPadding);
  }

  bool empty() const { return absl::StripAsciiWhitespace(body_).empty(); }

  // The document from its start.
  simdjson::error_code Open(ondemand::document* document) {
    return parser_.iterate(body_.data(), body_.size(), body_.capacity()).get(*document);
  }

  simdjson::error_code FindList(const std::string& pointer, ondemand::document* document,
                                ondemand::array* list) {
    if (const auto error = Open(document)) return error;
    if (!pointer.empty()) return document->at_pointer(pointer).get_array().get(*list);
    ondemand::json_type type;
    if (const auto error = document->type().get(type)) return error;
    if (type == ondemand::json_type::array) return document->get_array().get(*list);
    return document->at_pointer("/data").get_array().get(*list);
  }

 private:
  std::string body_;
  ondemand::parser parser_;
};

JsonPage::JsonPage(std::string body) : document_(std::make_unique<Document>(std::move(body))) {}
JsonPage::~JsonPage() = default;
JsonPage::JsonPage(JsonPage&&) noexcept = default;
JsonPage& JsonPage::operator=(JsonPage&&) noexcept = default;

absl::StatusOr<std::vector<absl::string_view>> JsonPage::Records(const std::string& pointer) const {
  std::vector<absl::string_view> records;
  if (document_->empty()) return records;
  ondemand::document document;
  ondemand::array list;
  if (const auto error = document_->FindList(pointer, &document, &list)) {
    if (!IsMissing(error)) return NotJson(error);
    return absl::FailedPreconditionError(
        pointer.empty() ? "the answer is neither a list nor an object with a list \"data\": say "
                          "with the option records where the list is"
                        : absl::StrCat("the answer has no list at ", pointer));
  }
  for (auto element : list) {
    ondemand::value value;
    absl::string_view text;
    if (const auto error = std::move(element).get(value)) return NotJson(error);
    if (const auto error = TextOf(value, &text)) return NotJson(error);
    records.push_back(text);
  }
  return records;
}

absl::StatusOr<std::optional<std::string>> JsonPage::Scalar(const std::string& pointer) const {
  if (document_->empty()) return std::nullopt;
  ondemand::document document;
  if (const auto error = document_->Open(&document)) return NotJson(error);
  ondemand::value value;
  if (const auto error = document.at_pointer(pointer).get(value)) {
    if (IsMissing(error)) return std::nullopt;
    return NotJson(error);
  }
  ondemand::json_type type;
  if (const auto error = value.type().get(type)) return NotJson(error);
  std::string_view text;
  switch (type) {
    case ondemand::json_type::null:
      return std::nullopt;
    case ondemand::json_type::object:
    case ondemand::json_type::array:
      return absl::FailedPreconditionError(
          absl::StrCat("the answer has a list or an object at ", pointer));
    case ondemand::json_type::string:
      if (const auto error = value.get_string().get(text)) return NotJson(error);
      break;
    default:
      text = value.raw_json_token();
  }
  std::string copy(absl::StripTrailingAsciiWhitespace(View(text)));
  if (copy.empty()) return std::nullopt;
  return copy;
}

}  // namespace tidemark::rest
