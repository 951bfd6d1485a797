#include "core/naming.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tidemark {
namespace {

bool IsWordByte(unsigned char c) {
  return absl::ascii_isalnum(c) || c >= 0x80;  // bytes of non-ASCII letters stay
}

// A word starts at `i`: "userID" -> user|ID, "HTTPServer" -> HTTP|Server.
bool StartsWord(absl::string_view name, size_t i) {
  const auto c = static_cast<unsigned char>(name[i]);
  if (i == 0 || !absl::ascii_isupper(c)) return false;
  const auto before = static_cast<unsigned char>(name[i - 1]);
  if (absl::ascii_islower(before) || absl::ascii_isdigit(before)) return true;
  return absl::ascii_isupper(before) && i + 1 < name.size() &&
         absl::ascii_islower(static_cast<unsigned char>(name[i + 1]));
}

}  // namespace

absl::StatusOr<Naming> ParseNaming(absl::string_view text) {
  if (absl::EqualsIgnoreCase(text, "source")) return Naming::kSource;
  if (absl::EqualsIgnoreCase(text, "snake_case")) return Naming::kSnakeCase;
  if (absl::EqualsIgnoreCase(text, "fivetran")) {
    return absl::UnimplementedError(
        "naming: fivetran is not built yet; choose source or snake_case");
  }
  return absl::InvalidArgumentError(
      absl::StrCat("naming: \"", text, "\" is unknown; choose source or snake_case"));
}

std::string ApplyNaming(Naming naming, absl::string_view name) {
  if (naming == Naming::kSource) return std::string(name);
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    const bool word = IsWordByte(c);
    if ((!word || StartsWord(name, i)) && (out.empty() || out.back() != '_')) {
      if (!out.empty() || !word) out.push_back('_');
    }
    if (word) out.push_back(absl::ascii_tolower(c));
  }
  return out;
}

}  // namespace tidemark
