#include "files/csv_parser.h"

namespace tidemark::files {

CsvParser::Outcome CsvParser::Bad(absl::string_view bytes, bool at_end, size_t from,
                                  absl::string_view why, size_t* size) {
  const size_t end = bytes.find('\n', from);
  if (end == absl::string_view::npos && !at_end) return Outcome::kNeedMore;
  *size = end == absl::string_view::npos ? bytes.size() : end + 1;
  problem_ = std::string(why);
  return Outcome::kBad;
}

CsvParser::Outcome CsvParser::Parse(absl::string_view bytes, bool at_end, size_t* size) {
  fields_.clear();
  problem_.clear();
  size_t at = 0;
  for (;;) {
    CsvField field;
    if (at < bytes.size() && bytes[at] == quote_) {
      field.quoted = true;
      ++at;
      for (;;) {
        const size_t close = bytes.find(quote_, at);
        if (close == absl::string_view::npos) {
          if (!at_end) return Outcome::kNeedMore;
          return Bad(bytes, at_end, bytes.size(), "a quote does not end", size);
        }
        field.text.append(bytes.data() + at, close - at);
        at = close + 1;
        if (at == bytes.size() && !at_end) return Outcome::kNeedMore;  // Doubled or closed?
        if (at == bytes.size() || bytes[at] != quote_) break;
        field.text.push_back(quote_);
        ++at;
      }
    } else {
      const size_t start = at;
      while (at < bytes.size() && bytes[at] != delimiter_ && bytes[at] != '\n') ++at;
      if (at == bytes.size() && !at_end) return Outcome::kNeedMore;
      size_t end = at;
      if (at < bytes.size() && bytes[at] == '\n' && end > start && bytes[end - 1] == '\r') --end;
      field.text.assign(bytes.data() + start, end - start);
    }
    fields_.push_back(std::move(field));
    if (at == bytes.size()) break;
    if (bytes[at] == delimiter_) {
      ++at;
      continue;
    }
    if (bytes[at] == '\r') {
      if (at + 1 == bytes.size() && !at_end) return Outcome::kNeedMore;
      if (at + 1 == bytes.size() || bytes[at + 1] == '\n') ++at;
    }
    if (at == bytes.size()) break;
    if (bytes[at] != '\n') {
      return Bad(bytes, at_end, at, "something follows a closing quote", size);
    }
    ++at;
    break;
  }
  *size = at;
  return Outcome::kRecord;
}

}  // namespace tidemark::files
