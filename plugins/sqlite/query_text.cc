#include "sqlite/query_text.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tidemark::sqlite {
namespace {

bool IsWord(char c) {
  const auto u = static_cast<unsigned char>(c);
  return absl::ascii_isalnum(u) || c == '_' || c == '$' || u >= 0x80;
}

class QueryScanner {
 public:
  QueryScanner(absl::string_view text, absl::string_view table) : text_(text), table_(table) {}

  absl::StatusOr<QueryText> Scan() {
    while (at_ < text_.size()) {
      if (absl::Status s = Token(); !s.ok()) return s;
    }
    // The end of the last token; a comment behind it would hide what follows.
    out_.sql.resize(significant_);
    return std::move(out_);
  }

 private:
  absl::string_view rest() const { return text_.substr(at_); }

  void Take(size_t size, bool significant = true) {
    absl::StrAppend(&out_.sql, text_.substr(at_, size));
    at_ += size;
    if (significant) significant_ = out_.sql.size();
  }
  void Replace(size_t size) {
    absl::StrAppend(&out_.sql, table_);
    at_ += size;
    significant_ = out_.sql.size();
    out_.names_table = true;
  }

  absl::Status Quote(char end) {
    const size_t start = at_;
    size_t close = at_ + 1;
    while (true) {
      close = text_.find(end, close);
      if (close == absl::string_view::npos) {
        return absl::InvalidArgumentError(
            absl::StrCat("cdc.polling.query: the quote at character ", start + 1, " does not end"));
      }
      const bool doubled = end != ']' && close + 1 < text_.size() && text_[close + 1] == end;
      if (!doubled) break;
      close += 2;
    }
    Take(close + 1 - start);
    return absl::OkStatus();
  }

  absl::Status Parameter() {
    size_t size = 1;
    while (size < rest().size() && IsWord(rest()[size])) ++size;
    const absl::string_view name = rest().substr(0, size);
    if (name == ":batch_size") {
      out_.batched = true;
    } else if (name != ":last_sync" && name != ":now") {
      return absl::InvalidArgumentError(absl::StrCat(
          "cdc.polling.query: ", name, " is none of :last_sync, :now and :batch_size"));
    }
    Take(size);
    return absl::OkStatus();
  }

  void Word() {
    size_t size = 0;
    while (size < rest().size() && IsWord(rest()[size])) ++size;
    const absl::string_view word = rest().substr(0, size);
    if (depth_ == 0 && after_order_ && absl::EqualsIgnoreCase(word, "by")) out_.ordered = true;
    after_order_ = absl::EqualsIgnoreCase(word, "order");
    if (absl::EqualsIgnoreCase(word, "table")) {
      Replace(size);
    } else {
      Take(size);
    }
  }

  absl::Status Token() {
    const char c = text_[at_];
    if (absl::ascii_isspace(static_cast<unsigned char>(c))) {
      Take(1, false);
    } else if (absl::StartsWith(rest(), "--")) {
      Take(std::min(rest().size(), rest().find('\n')), false);
    } else if (absl::StartsWith(rest(), "/*")) {
      const size_t end = rest().find("*/", 2);
      Take(end == absl::string_view::npos ? rest().size() : end + 2, false);
    } else if (absl::StartsWith(rest(), "{table}")) {
      Replace(7);
    } else if (c == '\'' || c == '"' || c == '`') {
      return Quote(c);
    } else if (c == '[') {
      return Quote(']');
    } else if (c == ':' || c == '@' || c == '?') {
      return Parameter();
    } else if (IsWord(c)) {
      Word();
    } else if (c == ';') {
      Take(1, false);
    } else {
      depth_ += c == '(' ? 1 : c == ')' ? -1 : 0;
      Take(1);
    }
    return absl::OkStatus();
  }

  const absl::string_view text_;
  const absl::string_view table_;
  QueryText out_;
  size_t at_ = 0;
  size_t significant_ = 0;  // bytes of sql up to the last token
  int depth_ = 0;
  bool after_order_ = false;
};

}  // namespace

absl::StatusOr<QueryText> ReadQuery(absl::string_view text, absl::string_view table) {
  return QueryScanner(text, table).Scan();
}

}  // namespace tidemark::sqlite
