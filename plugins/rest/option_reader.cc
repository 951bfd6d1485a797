#include "rest/option_reader.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace tidemark::rest {
namespace {

using nlohmann::json;

// Texts, numbers and truth values as text: YAML reads an unquoted 42 as a number.
std::optional<std::string> AsText(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  return std::nullopt;
}

}  // namespace

OptionReader::OptionReader(const json& object, std::string place, absl::Status* error)
    : object_(object), place_(std::move(place)), error_(error) {
  if (!object_.is_object() && !object_.is_null()) Fail("", "it has to be an object");
}

std::string OptionReader::Place(const std::string& name) const {
  if (name.empty()) return place_;
  return place_.empty() ? name : absl::StrCat(place_, ".", name);
}

void OptionReader::Fail(const std::string& name, absl::string_view what) {
  if (!error_->ok()) return;
  *error_ = absl::InvalidArgumentError(absl::StrCat("option ", Place(name), ": ", what));
}

const json* OptionReader::Find(const std::string& name) {
  known_.insert(name);
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

bool OptionReader::Has(const std::string& name) { return Find(name) != nullptr; }

std::string OptionReader::Text(const std::string& name, std::string otherwise) {
  const json* value = Find(name);
  if (value == nullptr) return otherwise;
  std::optional<std::string> text = AsText(*value);
  if (!text) Fail(name, "it has to be a text");
  return text.value_or(otherwise);
}

std::string OptionReader::RequiredText(const std::string& name) {
  std::string text = Text(name);
  if (text.empty()) Fail(name, "it is missing");
  return text;
}

std::optional<int64_t> OptionReader::Whole(const std::string& name, int64_t least) {
  const json* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number_integer() || value->get<int64_t>() < least) {
    Fail(name, absl::StrCat("it has to be a whole number of at least ", least));
    return std::nullopt;
  }
  return value->get<int64_t>();
}

bool OptionReader::Truth(const std::string& name, bool otherwise) {
  const json* value = Find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) {
    Fail(name, "it has to be true or false");
    return otherwise;
  }
  return value->get<bool>();
}

std::vector<std::string> OptionReader::Texts(const std::string& name) {
  std::vector<std::string> texts;
  const json* value = Find(name);
  if (value == nullptr) return texts;
  for (const json& item : value->is_array() ? *value : json::array({*value})) {
    std::optional<std::string> text = AsText(item);
    if (!text) Fail(name, "it has to be a list of texts");
    texts.push_back(text.value_or(""));
  }
  return texts;
}

std::vector<std::pair<std::string, std::string>> OptionReader::Pairs(const std::string& name) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const json* value = Find(name);
  if (value == nullptr) return pairs;
  if (!value->is_object()) {
    Fail(name, "it has to be an object");
    return pairs;
  }
  for (const auto& item : value->items()) {
    std::optional<std::string> text = AsText(item.value());
    if (!text) Fail(absl::StrCat(name, ".", item.key()), "it has to be a text");
    pairs.emplace_back(item.key(), text.value_or(""));
  }
  return pairs;
}

json OptionReader::Any(const std::string& name) {
  const json* value = Find(name);
  return value == nullptr ? json() : *value;
}

OptionReader OptionReader::Child(const std::string& name) {
  return OptionReader(Any(name), Place(name), error_);
}

std::vector<OptionReader> OptionReader::Children(const std::string& name) {
  std::vector<OptionReader> children;
  const json* value = Find(name);
  if (value == nullptr) return children;
  if (!value->is_array()) {
    Fail(name, "it has to be a list of objects");
    return children;
  }
  for (size_t i = 0; i < value->size(); ++i) {
    children.emplace_back((*value)[i], absl::StrCat(Place(name), "[", i, "]"), error_);
  }
  return children;
}

void OptionReader::Finish() {
  if (!object_.is_object()) return;
  for (const auto& item : object_.items()) {
    if (known_.contains(item.key())) continue;
    Fail(item.key(),
         absl::StrCat("there is no such option here, only ", absl::StrJoin(known_, ", ")));
  }
}

}  // namespace tidemark::rest
