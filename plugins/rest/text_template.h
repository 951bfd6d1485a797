// Texts with variables, as they stand in the configuration.
#ifndef TIDEMARK_REST_TEXT_TEMPLATE_H_
#define TIDEMARK_REST_TEXT_TEMPLATE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tidemark::rest {

// Values by name: cursor, page, page_size, ..; a name that is not in it has no value.
using Variables = std::map<std::string, std::string>;

// "since:{cursor}"; "{{" is a brace. Thread-compatible.
class TextTemplate {
 public:
  TextTemplate() = default;
  // INVALID_ARGUMENT for a brace that is not closed and for a variable that is not in `known`.
  static absl::StatusOr<TextTemplate> Parse(absl::string_view text,
                                            const std::vector<std::string>& known);

  // The text, or nothing if a variable in it has no value: what is asked for with it is left out.
  std::optional<std::string> Expand(const Variables& variables) const;
  bool Uses(absl::string_view variable) const;
  // The name, if the whole text is one variable.
  std::optional<std::string> OnlyVariable() const;

 private:
  struct Part {
    bool variable = false;
    std::string text;
  };
  std::vector<Part> parts_;
};

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_TEXT_TEMPLATE_H_
