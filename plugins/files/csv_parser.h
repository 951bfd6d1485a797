// Comma-separated values as RFC 4180 has them.
#ifndef TIDEMARK_FILES_CSV_PARSER_H_
#define TIDEMARK_FILES_CSV_PARSER_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tidemark::files {

struct CsvField {
  std::string text;
  bool quoted = false;
};

// Cuts bytes into records. A record ends at \n or \r\n outside of quotes. Beyond RFC 4180: a quote
// inside a field that does not begin with one stands for itself. Thread-compatible; does no I/O.
class CsvParser {
 public:
  enum class Outcome {
    kRecord,    // fields() holds it
    kBad,       // what a record should be is none, see problem(); its line is cut off
    kNeedMore,  // the bytes end inside a record
  };

  explicit CsvParser(char delimiter = ',', char quote = '"')
      : delimiter_(delimiter), quote_(quote) {}

  // Reads one record from the front of `bytes`; with `at_end` their end ends it, too. `*size` is
  // how many bytes it took, with its line end. REQUIRES: bytes is not empty.
  Outcome Parse(absl::string_view bytes, bool at_end, size_t* size);

  // Valid until the next Parse.
  const std::vector<CsvField>& fields() const { return fields_; }
  const std::string& problem() const { return problem_; }

 private:
  Outcome Bad(absl::string_view bytes, bool at_end, size_t from, absl::string_view why,
              size_t* size);

  const char delimiter_;
  const char quote_;
  std::vector<CsvField> fields_;
  std::string problem_;
};

}  // namespace tidemark::files

#endif  // TIDEMARK_FILES_CSV_PARSER_H_
