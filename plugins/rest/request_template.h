// How a request is built from variables.
#ifndef TIDEMARK_REST_REQUEST_TEMPLATE_H_
#define TIDEMARK_REST_REQUEST_TEMPLATE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "http/http_client.h"
#include "http/url.h"
#include "nlohmann/json.hpp"
#include "rest/text_template.h"

namespace tidemark::rest {

// Method, path, headers, query and body of an endpoint. A header, a parameter or a member of the
// body whose variable has no value is left out. Thread-compatible.
class RequestTemplate {
 public:
  using Pairs = std::vector<std::pair<std::string, TextTemplate>>;

  // The names that may stand in braces, without the connection's own variables.
  static std::vector<std::string> KnownVariables();

  explicit RequestTemplate(http::Url base) : base_(std::move(base)) {}

  void SetMethod(std::string method) { method_ = std::move(method); }
  void SetPath(TextTemplate path) { path_ = std::move(path); }
  void AddHeader(std::string name, TextTemplate value) {
    headers_.emplace_back(std::move(name), std::move(value));
  }
  void AddQuery(std::string name, TextTemplate value) {
    query_.emplace_back(std::move(name), std::move(value));
  }
  // Texts inside are templates; one that is a single variable becomes a number if its value is one.
  absl::Status SetBody(nlohmann::json body, const std::vector<std::string>& known);
  void SetVariables(Variables fixed) { fixed_ = std::move(fixed); }

  bool Uses(absl::string_view variable) const;
  // INVALID_ARGUMENT if the path needs a variable that has no value.
  absl::StatusOr<http::HttpRequest> Build(const Variables& variables) const;

 private:
  http::Url base_;
  std::string method_ = "GET";
  TextTemplate path_;
  Pairs headers_;
  Pairs query_;
  nlohmann::json body_;  // null: none
  std::vector<TextTemplate> body_texts_;
  Variables fixed_;
};

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_REQUEST_TEMPLATE_H_
