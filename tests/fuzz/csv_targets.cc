// The reader of CSV files.
#include <string>
#include <vector>

#include "files/csv_parser.h"
#include "tests/fuzz/fuzz_targets.h"
#include "tests/fuzz/require.h"

namespace tidemark::fuzz {
namespace {

using files::CsvField;
using files::CsvParser;
using Outcome = CsvParser::Outcome;

// A record as a careful program writes it.
std::string Written(const std::vector<CsvField>& fields, char delimiter) {
  std::string text;
  for (const CsvField& field : fields) {
    if (&field != fields.data()) text.push_back(delimiter);
    text.push_back('"');
    for (const char c : field.text) text.append(c == '"' ? 2 : 1, c);
    text.push_back('"');
  }
  return text + "\r\n";
}

}  // namespace

void Csv(absl::string_view input) {
  if (input.empty()) return;
  const char delimiter = input[0] % 2 == 0 ? ',' : ';';
  absl::string_view rest = input.substr(1);
  CsvParser parser(delimiter), other(delimiter);
  while (!rest.empty()) {
    size_t size = 0;
    const Outcome outcome = parser.Parse(rest, true, &size);
    Require(outcome != Outcome::kNeedMore, "the end of the bytes ends a record");
    Require(size > 0 && size <= rest.size(), "a record takes some of the bytes");
    // What stands behind a record that is whole does not change it, nor do blocks it is read in.
    size_t again = 0;
    const Outcome cut =
        other.Parse(rest.substr(0, size / 2 + 1), size / 2 + 1 == rest.size(), &again);
    Require(cut == Outcome::kNeedMore || again <= size, "a part gives no longer record");
    if (outcome == Outcome::kRecord) {
      const std::string text = Written(parser.fields(), delimiter);
      Require(other.Parse(text, false, &again) == Outcome::kRecord && again == text.size(),
              "a record that was written can be read");
      Require(other.fields().size() == parser.fields().size(), "with as many fields");
      for (size_t i = 0; i < parser.fields().size(); ++i) {
        Require(other.fields()[i].text == parser.fields()[i].text, "and the same texts");
      }
    } else {
      Require(!parser.problem().empty(), "a bad record says why");
    }
    rest.remove_prefix(size);
  }
}

}  // namespace tidemark::fuzz
