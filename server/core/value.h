// One value of a row: a 16-byte tagged view, the in-memory twin of tidemark_value
// (plugin_abi.h) and of the wire's row grammar (connector.proto).
#ifndef TIDEMARK_CORE_VALUE_H_
#define TIDEMARK_CORE_VALUE_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace tidemark {

// The numbers are those of plugin_abi.h and of the row grammar and never change.
enum class ValueKind : uint32_t {
  kNull = 0,
  kUnchanged = 1,       // UPDATE: keep what is there; `before`: the old value is not known
  kBool = 2,            // i64: 0 or 1
  kInt64 = 3,           // i64
  kDouble = 4,          // f64
  kDecimal = 5,         // text: -?[0-9]+(\.[0-9]+)? or NaN, Infinity, -Infinity
  kString = 6,          // text: UTF-8 without U+0000
  kBytes = 7,           // bytes
  kJson = 8,            // text: one JSON document, kept byte for byte
  kDate = 9,            // i64: days since 1970-01-01
  kTime = 10,           // i64: microseconds since midnight, 0..86,400,000,000
  kTimestamp = 11,      // i64: microseconds since 1970-01-01T00:00:00Z; INT64_MIN/MAX: -/+infinity
  kNaiveTimestamp = 12  // i64: the same count on a clock without zone
};
inline constexpr uint32_t kMaxValueKind = 12;

// Trivially copyable. Text and bytes are borrowed: whoever hands a Value out says how long the
// bytes live (a ChangeBatch owns those of its values).
struct Value {
  ValueKind kind = ValueKind::kNull;
  uint32_t length = 0;  // bytes, for kDecimal, kString, kBytes and kJson; else 0
  union {
    int64_t i64;
    double f64;
    const char* text;  // not NUL-terminated
  };

  Value() : i64(0) {}

  static Value Null() { return Value(); }
  static Value Unchanged() { return Int(ValueKind::kUnchanged, 0); }
  static Value Bool(bool v) { return Int(ValueKind::kBool, v ? 1 : 0); }
  static Value Int64(int64_t v) { return Int(ValueKind::kInt64, v); }
  static Value Int(ValueKind kind, int64_t v) {
    Value value;
    value.kind = kind;
    value.i64 = v;
    return value;
  }
  static Value Double(double v) {
    Value value;
    value.kind = ValueKind::kDouble;
    value.f64 = v;
    return value;
  }
  // REQUIRES: the bytes of `v` outlive the value; v.size() fits 32 bits.
  static Value Text(ValueKind kind, absl::string_view v) {
    Value value;
    value.kind = kind;
    value.length = static_cast<uint32_t>(v.size());
    value.text = v.data();
    return value;
  }
  static Value String(absl::string_view v) { return Text(ValueKind::kString, v); }

  bool is_null() const { return kind == ValueKind::kNull; }
  bool is_unchanged() const { return kind == ValueKind::kUnchanged; }
  bool is_text() const { return kind >= ValueKind::kDecimal && kind <= ValueKind::kJson; }
  // REQUIRES: is_text().
  absl::string_view view() const { return absl::string_view(text, length); }
};
static_assert(sizeof(Value) == 16);

// Equal kind and equal content (doubles bit by bit).
bool SameValue(const Value& a, const Value& b);

// Whether a row of `columns` columns has a value, NULL or other, in each of them: none is UNCHANGED
// or behind the end of `values`.
bool IsWholeRow(absl::Span<const Value> values, size_t columns);

}  // namespace tidemark

#endif  // TIDEMARK_CORE_VALUE_H_
