#include "rest/text_template.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace tidemark::rest {

absl::StatusOr<TextTemplate> TextTemplate::Parse(absl::string_view text,
                                                 const std::vector<std::string>& known) {
  TextTemplate parsed;
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{' || text.substr(i, 2) == "{{") {
      plain.push_back(text[i]);
      if (text[i] == '{') ++i;
      continue;
    }
    const size_t end = text.find('}', i);
    if (end == absl::string_view::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", text, "\": a { is not closed; write {{ for a brace"));
    }
    const std::string name(text.substr(i + 1, end - i - 1));
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat("\"", text, "\": there is no variable {", name,
                                                     "}, only ", absl::StrJoin(known, ", "),
                                                     "; write {{ for a brace"));
    }
    if (!plain.empty()) parsed.parts_.push_back({false, plain});
    plain.clear();
    parsed.parts_.push_back({true, name});
    i = end;
  }
  if (!plain.empty()) parsed.parts_.push_back({false, plain});
  return parsed;
}

std::optional<std::string> TextTemplate::Expand(const Variables& variables) const {
  std::string text;
  for (const Part& part : parts_) {
    if (!part.variable) {
      text += part.text;
      continue;
    }
    const auto value = variables.find(part.text);
    if (value == variables.end()) return std::nullopt;
    text += value->second;
  }
  return text;
}

bool TextTemplate::Uses(absl::string_view variable) const {
  return std::any_of(parts_.begin(), parts_.end(), [variable](const Part& part) {
    return part.variable && part.text == variable;
  });
}

std::optional<std::string> TextTemplate::OnlyVariable() const {
  if (parts_.size() != 1 || !parts_[0].variable) return std::nullopt;
  return parts_[0].text;
}

}  // namespace tidemark::rest
