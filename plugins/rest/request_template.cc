#include "rest/request_template.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "rest/json_record.h"

namespace tidemark::rest {
namespace {

using nlohmann::json;

// Fills the templates of a body; false: leave the member out. `texts`: in the order of the walk.
bool Fill(const json& from, const Variables& variables,
          std::vector<TextTemplate>::const_iterator& text, json* to) {
  if (from.is_string()) {
    const TextTemplate& written = *text++;
    const std::optional<std::string> value = written.Expand(variables);
    if (!value) return false;
    *to = *value;
    // {page_size} alone stands for a number, as it would in a body written by hand.
    if (written.OnlyVariable() && IsJsonNumber(*value)) *to = json::parse(*value, nullptr, false);
    return true;
  }
  if (!from.is_structured()) {
    *to = from;
    return true;
  }
  *to = from.is_array() ? json::array() : json::object();
  for (const auto& item : from.items()) {
    json member;
    if (!Fill(item.value(), variables, text, &member)) continue;
    if (from.is_array()) {
      to->push_back(std::move(member));
    } else {
      (*to)[item.key()] = std::move(member);
    }
  }
  return true;
}

absl::Status Collect(const json& body, const std::vector<std::string>& known,
                     std::vector<TextTemplate>* texts) {
  if (body.is_string()) {
    auto text = TextTemplate::Parse(body.get_ref<const std::string&>(), known);
    if (!text.ok()) return text.status();
    texts->push_back(*std::move(text));
  } else if (body.is_structured()) {
    for (const json& member : body) {
      if (absl::Status s = Collect(member, known, texts); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> RequestTemplate::KnownVariables() {
  return {"cursor", "until", "now",    "page",  "page_size",
          "offset", "after", "scroll", "start", "end"};
}

absl::Status RequestTemplate::SetBody(json body, const std::vector<std::string>& known) {
  body_ = std::move(body);
  body_texts_.clear();
  return Collect(body_, known, &body_texts_);
}

bool RequestTemplate::Uses(absl::string_view variable) const {
  const auto in = [variable](const std::pair<std::string, TextTemplate>& pair) {
    return pair.second.Uses(variable);
  };
  return path_.Uses(variable) || std::any_of(headers_.begin(), headers_.end(), in) ||
         std::any_of(query_.begin(), query_.end(), in) ||
         std::any_of(body_texts_.begin(), body_texts_.end(),
                     [variable](const TextTemplate& text) { return text.Uses(variable); });
}

absl::StatusOr<http::HttpRequest> RequestTemplate::Build(const Variables& given) const {
  Variables variables = given;
  variables.insert(fixed_.begin(), fixed_.end());
  const std::optional<std::string> path = path_.Expand(variables);
  if (!path) return absl::InvalidArgumentError("the path needs a variable that has no value");
  absl::StatusOr<http::Url> url = base_.Append(*path);
  if (!url.ok()) return url.status();
  // Credentials go with every request, so it stays where they belong.
  if (!url->SameOrigin(base_)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path leads to another host than base_url: ", url->Shown()));
  }
  http::HttpRequest request{.method = method_, .url = *std::move(url)};
  for (const auto& [name, text] : query_) {
    if (const auto value = text.Expand(variables)) request.url.AddQuery(name, *value);
  }
  for (const auto& [name, text] : headers_) {
    if (auto value = text.Expand(variables)) request.headers.emplace_back(name, *std::move(value));
  }
  if (!body_.is_null()) {
    json body;
    auto text = body_texts_.begin();
    Fill(body_, variables, text, &body);
    request.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
    request.headers.emplace_back("Content-Type", "application/json");
  }
  return request;
}

}  // namespace tidemark::rest
