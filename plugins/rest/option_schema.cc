#include "rest/option_schema.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace tidemark::rest {
namespace {

// SCALAR stands for what YAML may read a text as.
constexpr absl::string_view kScalar = R"({"type": ["string", "number", "boolean"]})";
constexpr absl::string_view kSecret =
    R"({"type": ["string", "number", "boolean"], "x-secret": true})";
constexpr absl::string_view kTexts = R"({"type": "object", "additionalProperties": $scalar})";

constexpr absl::string_view kAuth = R"({
  "type": "object", "additionalProperties": false, "required": ["type"],
  "properties": {
    "type": {"enum": ["none", "bearer", "basic", "api_key", "headers", "session"]},
    "token": $secret, "username": $scalar, "password": $secret, "key": $secret,
    "in": {"enum": ["header", "query"]},
    "name": {"type": "string"}, "prefix": {"type": "string"},
    "headers": {"type": "object", "additionalProperties": $secret},
    "login": {
      "type": "object", "additionalProperties": false, "required": ["path"],
      "properties": {
        "path": {"type": "string"}, "method": {"type": "string"},
        "body": {"type": "object", "x-secret": true}, "token": {"type": "string"}}}}})";

constexpr absl::string_view kPagination = R"({
  "type": "object", "additionalProperties": false,
  "properties": {
    "type": {"enum": ["none", "next_url", "page_number", "offset", "keyset", "scroll"]},
    "parameter": {"type": "string"}, "size_parameter": {"type": "string"},
    "size": {"type": "integer"}, "max_size": {"type": "integer"}, "first": {"type": "integer"},
    "pointer": {"type": "string"}, "field": {"type": "string"}, "total": {"type": "string"},
    "token_only": {"type": "boolean"}}})";

constexpr absl::string_view kIncremental = R"({
  "type": "object", "additionalProperties": false,
  "properties": {
    "type": {"enum": ["full", "timestamp", "replay", "keyset", "step"]},
    "field": {"type": "string"}, "created_at_field": {"type": "string"},
    "parameter": {"type": "string"}, "until_parameter": {"type": "string"},
    "format": {"type": "string"}, "buffer": {"type": "string"}, "settle": {"type": "string"},
    "start": {"type": ["string", "integer"]}, "compare": {"enum": ["auto", ">=", ">"]},
    "exclusive": {"type": "boolean"}, "ascending": {"type": "boolean"},
    "window": {"type": "string"}, "smallest_window": {"type": "string"},
    "start_parameter": {"type": "string"}, "end_parameter": {"type": "string"},
    "width": {"type": "integer"}, "empty_steps": {"type": "integer"},
    "limit": {"type": "integer"}, "remove_missing": {"type": "boolean"}}})";

constexpr absl::string_view kEndpoint = R"({
  "type": "object", "additionalProperties": false, "required": [$required"path"],
  "properties": {$own
    "path": {"type": "string"}, "method": {"type": "string"},
    "headers": {"type": "object", "additionalProperties": $secret},
    "query": $texts, "body": {}, "records": {"type": "string"},
    "primary_key": {"type": ["array", "string"], "items": {"type": "string"}},
    "columns": {"type": "object", "additionalProperties": {"type": ["string", "object"]}},
    "pagination": $pagination, "incremental": $incremental}})";

// Fills in the parts. The text lives as long as the plugin.
const std::string& Complete(absl::string_view schema) {
  std::string text(schema);
  for (const auto& [name, part] :
       {std::pair<absl::string_view, absl::string_view>{"$incremental", kIncremental},
        {"$pagination", kPagination},
        {"$texts", kTexts},
        {"$secret", kSecret},
        {"$scalar", kScalar}}) {
    absl::StrReplaceAll({{name, part}}, &text);
  }
  return *new std::string(std::move(text));
}

std::string Endpoint(absl::string_view required, absl::string_view own) {
  return absl::StrReplaceAll(kEndpoint, {{"$required", required}, {"$own", own}});
}

}  // namespace

const char* TextsSchema() {
  static const std::string& schema = Complete(kTexts);
  return schema.c_str();
}

const char* SecretTextsSchema() {
  static const std::string& schema =
      Complete(R"({"type": "object", "additionalProperties": $secret})");
  return schema.c_str();
}

const char* AuthSchema() {
  static const std::string& schema = Complete(kAuth);
  return schema.c_str();
}

const char* PaginationSchema() {
  static const std::string& schema = Complete(kPagination);
  return schema.c_str();
}

const char* EndpointsSchema() {
  static const std::string& schema = Complete(absl::StrCat(
      R"({"type": "array", "items": )",
      Endpoint("\"table\", ", absl::StrCat("\n    \"table\": {\"type\": \"string\"}, \"deleted\": ",
                                           Endpoint("", ""), ",")),
      "}"));
  return schema.c_str();
}

}  // namespace tidemark::rest
