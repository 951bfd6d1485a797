// Reads an object of the configuration, strictly.
#ifndef TIDEMARK_REST_OPTION_READER_H_
#define TIDEMARK_REST_OPTION_READER_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"

namespace tidemark::rest {

// One JSON object with its place in the configuration. Wrong types, missing and unknown members are
// kept as the first error, INVALID_ARGUMENT naming the place, so that the reading code goes
// straight on. Thread-compatible.
class OptionReader {
 public:
  // `error`: where the first error goes; shared by all readers of one configuration.
  OptionReader(const nlohmann::json& object, std::string place, absl::Status* error);

  bool Has(const std::string& name);
  std::string Text(const std::string& name, std::string otherwise = "");
  std::string RequiredText(const std::string& name);
  std::optional<int64_t> Whole(const std::string& name, int64_t least);
  bool Truth(const std::string& name, bool otherwise = false);
  // A list of texts, or one text.
  std::vector<std::string> Texts(const std::string& name);
  // The members of an object, as texts.
  std::vector<std::pair<std::string, std::string>> Pairs(const std::string& name);
  // The value as it is; null if it is not there.
  nlohmann::json Any(const std::string& name);
  // An object; an empty one if it is not there.
  OptionReader Child(const std::string& name);
  // A list of objects.
  std::vector<OptionReader> Children(const std::string& name);

  // One of the words; the first one if there is none.
  template <typename Choice>
  Choice OneOf(const std::string& name,
               const std::vector<std::pair<std::string, Choice>>& choices) {
    if (!Has(name)) return choices.front().second;
    const std::string word = Text(name);
    std::string words;
    for (const auto& [known, choice] : choices) {
      if (known == word) return choice;
      words += words.empty() ? known : ", " + known;
    }
    Fail(name, "\"" + word + "\" is none of " + words);
    return choices.front().second;
  }

  // Keeps an error about a member ("": about the object), unless there is one already.
  void Fail(const std::string& name, absl::string_view what);
  // Members that were not asked for are errors.
  void Finish();

  std::string Place(const std::string& name) const;
  bool ok() const { return error_->ok(); }

 private:
  const nlohmann::json* Find(const std::string& name);

  nlohmann::json object_;
  std::string place_;
  absl::Status* error_;
  std::set<std::string> known_;
};

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_OPTION_READER_H_
