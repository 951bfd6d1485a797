// Exact conversions of one value to the kind that a column's type stores: the slow path of
// pipeline/conform.h, where the value is not that already.
#ifndef TIDEMARK_PIPELINE_VALUE_CONVERSION_H_
#define TIDEMARK_PIPELINE_VALUE_CONVERSION_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/change_batch.h"
#include "core/text.h"
#include "core/type.h"
#include "core/value.h"

namespace tidemark {

// Dates and times that sort as their text: the years 0000 to 9999. Days since 1970-01-01.
inline constexpr int64_t kMinDays = -719'528;
inline constexpr int64_t kMaxDays = 2'932'896;
inline bool IsStorableDate(int64_t days) { return days >= kMinDays && days <= kMaxDays; }
// Microseconds since 1970-01-01T00:00:00, or one of the two infinities (core/value.h).
inline bool IsStorableTime(int64_t us) {
  constexpr int64_t kDay = int64_t{86'400} * 1'000'000;
  return (us >= kMinDays * kDay && us < (kMaxDays + 1) * kDay) ||
         us == std::numeric_limits<int64_t>::max() || us == std::numeric_limits<int64_t>::min();
}

// Text made by conversions; lives with the batch whose values point at it.
class TextArena final : public BatchBytes {
 public:
  // A copy of `text` that stays where it is as long as the arena lives.
  absl::string_view Keep(absl::string_view text);

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_size_ = 0;
  size_t used_ = 0;
};

struct ConversionOptions {
  bool strip_text_nul = false;
  bool keeps_nan = false;        // the destination holds NaN
  bool keeps_infinity = true;    // the destination holds infinities
  uint64_t max_value_bytes = 0;  // 0: any
};

// What conversions had to give up, counted per column; each becomes one warning of the sync.
struct ConversionNotes {
  uint64_t nan = 0;           // NaN stored as NULL
  uint64_t infinity = 0;      // an infinity stored as NULL
  uint64_t nul_stripped = 0;  // values whose U+0000 were removed
  uint64_t truncated = 0;     // times finer than a microsecond
  uint64_t leap_seconds = 0;  // second 60 taken as 59.999999

  bool any() const { return (nan | infinity | nul_stripped | truncated | leap_seconds) != 0; }
  ConversionNotes& operator+=(const ConversionNotes& other);
};

// The kind in which a column of `type` stores its values (kNull for kUndeclared): BOOLEAN kBool;
// SHORT, INT, LONG kInt64; DECIMAL kDecimal; FLOAT, DOUBLE kDouble; NAIVE_DATE kDate; NAIVE_TIME
// kTime; NAIVE_DATETIME kNaiveTimestamp; UTC_DATETIME kTimestamp; BINARY kBytes; XML, STRING
// kString; JSON kJson.
ValueKind StoredKind(DataType type);

// Thread-compatible: keeps a JSON parser's memory.
class ValueConverter {
 public:
  explicit ValueConverter(const ConversionOptions& options) : options_(options) {}

  // The value in StoredKind(type), or NULL with a note. Only conversions that keep the value: '007'
  // into STRING stays '007', 1.0 into LONG is 1, 1.5 into LONG is refused. A time without a zone
  // counts as UTC, one with a zone goes into a column without one as its UTC reading.
  // INVALID_ARGUMENT with a sentence that does not contain the value.
  // REQUIRES: `value` is neither NULL nor UNCHANGED.
  absl::StatusOr<Value> Convert(const Value& value, const ColumnType& type, TextArena* arena,
                                ConversionNotes* notes);

  absl::Status CheckJson(absl::string_view text) { return json_.Check(text); }
  const ConversionOptions& options() const { return options_; }

 private:
  absl::StatusOr<Value> ToInteger(const Value& value, DataType type);
  absl::StatusOr<Value> ToDecimal(const Value& value, const ColumnType& type, TextArena* arena,
                                  ConversionNotes* notes);
  absl::StatusOr<Value> ToDouble(const Value& value, ConversionNotes* notes);
  absl::StatusOr<Value> ToTime(const Value& value, DataType type, ConversionNotes* notes);
  absl::StatusOr<Value> ToText(const Value& value, DataType type, TextArena* arena,
                               ConversionNotes* notes);
  absl::StatusOr<Value> ToJson(const Value& value, TextArena* arena);

  ConversionOptions options_;
  JsonChecker json_;
};

// The value as text, the same for equal values of every kind: 5, 5.0 and decimal 5.00 are "5",
// times have 6 fraction digits, bytes are lower-case hexadecimal. Used by keyless ids, record ids
// and STRING columns (which keep a decimal as it was written and a double as its shortest text).
// REQUIRES: `value` is neither NULL nor UNCHANGED.
std::string CanonicalText(const Value& value);

}  // namespace tidemark

#endif  // TIDEMARK_PIPELINE_VALUE_CONVERSION_H_
