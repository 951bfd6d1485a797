#include "control/config_node.h"

#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

bool IsPlainNumber(absl::string_view text) {
  size_t digits = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      ++digits;
    } else if (c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E') {
      return false;
    }
  }
  return digits > 0;
}

Json ScalarToJson(const ConfigNode& node) {
  if (node.quoted) return node.text;
  const std::string& text = node.text;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return nullptr;
  }
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (IsPlainNumber(text)) {
    int64_t integer = 0;
    if (absl::SimpleAtoi(text, &integer)) return integer;
    double number = 0;
    if (absl::SimpleAtod(text, &number) && std::isfinite(number)) return number;
  }
  return text;
}

// Says where a JSON text goes wrong, without the library's exceptions.
class ErrorPosition : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    position_ = position;
    return false;
  }
  std::size_t position() const { return position_; }

 private:
  std::size_t position_ = 0;
};

}  // namespace

const ConfigNode* ConfigNode::Find(absl::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Json ToJson(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::kNull:
      return nullptr;
    case ConfigNode::Kind::kScalar:
      return ScalarToJson(node);
    case ConfigNode::Kind::kList: {
      Json list = Json::array();
      for (const ConfigNode& item : node.items) list.push_back(ToJson(item));
      return list;
    }
    case ConfigNode::Kind::kMap: {
      Json map = Json::object();
      for (const ConfigNode::Entry& entry : node.entries) map[entry.key] = ToJson(entry.value);
      return map;
    }
  }
  return nullptr;
}

ConfigNode FromJson(const Json& value) {
  ConfigNode node;
  if (value.is_object()) {
    node.kind = ConfigNode::Kind::kMap;
    for (const auto& item : value.items()) {
      node.entries.push_back({item.key(), 0, 0, FromJson(item.value())});
    }
  } else if (value.is_array()) {
    node.kind = ConfigNode::Kind::kList;
    for (const Json& item : value) node.items.push_back(FromJson(item));
  } else if (value.is_string()) {
    node.kind = ConfigNode::Kind::kScalar;
    node.text = *value.get_ptr<const std::string*>();
    node.quoted = true;
  } else if (!value.is_null()) {
    node.kind = ConfigNode::Kind::kScalar;
    node.text = DumpJson(value, -1);
  }
  return node;
}

absl::StatusOr<ConfigNode> ParseJsonText(absl::string_view label, absl::string_view text) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (begin == nullptr) begin = end = "";
  if (Json::accept(begin, end)) return FromJson(Json::parse(begin, end, nullptr, false));
  ErrorPosition position;
  Json::sax_parse(begin, end, &position);
  int line = 1;
  int column = 1;
  for (size_t i = 0; i + 1 < position.position() && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat(label, ":", line, ":", column, ": this is no JSON document from here on"));
}

std::string DumpJson(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tidemark
