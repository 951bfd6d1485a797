// JSON records into rows.
#ifndef TIDEMARK_REST_ROW_CONVERSION_H_
#define TIDEMARK_REST_ROW_CONVERSION_H_

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cursors/time_text.h"
#include "rest/json_record.h"
#include "tidemark/schema.h"
#include "tidemark/value.h"

namespace tidemark::rest {

// How times are written that are not text: seconds or milliseconds since 1970.
enum class EpochUnit { kNone, kSeconds, kMilliseconds };

// A time as a record holds it: ISO 8601 text, or a number in `unit`. INVALID_ARGUMENT otherwise.
absl::StatusOr<cursors::SourceTime> ReadTime(const JsonValue& value, EpochUnit unit,
                                             const cursors::ZoneRule& rule);

struct ColumnDefinition {
  std::string name;
  Type type = kUndeclared;
  int32_t precision = 0;
  int32_t scale = 0;
  EpochUnit unit = EpochUnit::kNone;
};

// Gives declared columns their types and others the type their JSON has: whole numbers LONG (or
// DECIMAL, beyond 64 bits), fractions DOUBLE, lists and objects JSON. Thread-compatible.
class RowConversion {
 public:
  RowConversion(std::vector<ColumnDefinition> columns, std::vector<std::string> key,
                cursors::ZoneRule rule);

  // The fields of a record as those of a row. They view the record and this object, until the next
  // call. INVALID_ARGUMENT names a column whose value is not of its type, or a missing key.
  absl::Status Convert(const JsonRecord& record, std::vector<Field>* row);
  // The fields of the key only.
  absl::Status ConvertKey(const JsonRecord& record, std::vector<Field>* row);
  // The key as a JSON object, for dead letters; what is there of it.
  std::string KeyJson(const JsonRecord& record) const;

 private:
  absl::StatusOr<Value> ToValue(const JsonField& field);
  absl::StatusOr<Value> ToDeclared(const ColumnDefinition& column, const JsonValue& value);
  absl::StatusOr<Value> ToTime(const ColumnDefinition& column, const JsonValue& value);
  absl::StatusOr<Value> NumberOf(absl::string_view digits);
  absl::Status CheckKey(const JsonRecord& record) const;
  Value Keep(Value (*make)(absl::string_view), std::string text);

  const std::vector<ColumnDefinition> columns_;
  const std::vector<std::string> key_;
  const cursors::ZoneRule rule_;
  absl::flat_hash_map<std::string, const ColumnDefinition*> by_name_;
  std::deque<std::string> texts_;  // of values that are not in the record as such
};

}  // namespace tidemark::rest

#endif  // TIDEMARK_REST_ROW_CONVERSION_H_
