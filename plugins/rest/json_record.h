// One record of an answer: the fields of a JSON object.
#ifndef TIDEMARK_REST_JSON_RECORD_H_
#define TIDEMARK_REST_JSON_RECORD_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace tidemark::rest {

// A value as it stands in the answer. Numbers keep their digits: no value passes through a double
// that has to be exact.
struct JsonValue {
  enum class Kind { kNull, kBool, kNumber, kString, kNested };
  Kind kind = Kind::kNull;
  bool truth = false;      // of kBool
  absl::string_view text;  // digits of kNumber; unescaped kString; the JSON text of kNested
};

struct JsonField {
  absl::string_view name;
  JsonValue value;
};

// Reads record after record; thread-compatible.
class JsonRecord {
 public:
  JsonRecord();
  ~JsonRecord();
  JsonRecord(const JsonRecord&) = delete;
  JsonRecord& operator=(const JsonRecord&) = delete;

  // `text`: one JSON value, with at least JsonPage::kPadding readable bytes behind it.
  // INVALID_ARGUMENT if it is not an object, one that is not valid JSON, or one that gives a name
  // twice. What fields() returns views the text and this object, until the next Read().
  absl::Status Read(absl::string_view text);

  const std::vector<JsonField>& fields() const { return fields_; }
  // The value of a name, null if there is none.
  const JsonValue* Find(absl::string_view name) const;

 private:
  class Parser;

  absl::Status CheckNames();

  const std::unique_ptr<Parser> parser_;
  std::vector<JsonField> fields_;
  std::vector<absl::string_view> names_;  // of fields_, sorted; kept for its memory
};

// A view of the parser as one of Abseil: Debian builds Abseil with a type of its own.
inline absl::string_view View(std::string_view s) { return {s.data(), s.size()}; }

// Whether `text` is a number by the grammar of RFC 8259, section 6.
bool IsJsonNumber(absl::string_view text);

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_JSON_RECORD_H_
