// The value of one column of one row, as a connector states it.
#ifndef TIDEMARK_VALUE_H_
#define TIDEMARK_VALUE_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "tidemark/plugin_abi.h"

// The inline namespace keeps this layer apart from other code of the name tidemark in one program.
namespace tidemark {
inline namespace sdk_v1 {

// A borrowed view: text and bytes must live until the sink call returns. Plain C++ values convert
// by themselves; kinds that C++ has no type for have a named constructor. Thread-compatible.
class Value {
 public:
  Value() : Value(TIDEMARK_NULL, int64_t{0}) {}
  Value(std::nullptr_t) : Value() {}  // NOLINT(google-explicit-constructor)
  template <std::same_as<bool> B>
  Value(B b) : Value(TIDEMARK_BOOL, int64_t{b ? 1 : 0}) {}  // NOLINT(google-explicit-constructor)
  // Unsigned 64-bit numbers do not fit; give them as Decimal.
  template <typename Int>
    requires(std::integral<Int> && !std::same_as<Int, bool> && !std::same_as<Int, char> &&
             (std::is_signed_v<Int> || sizeof(Int) < 8))
  Value(Int i) : Value(TIDEMARK_INT64, int64_t{i}) {}  // NOLINT(google-explicit-constructor)
  template <std::floating_point Float>
  Value(Float f) {  // NOLINT(google-explicit-constructor)
    value_.type = TIDEMARK_DOUBLE;
    value_.length = 0;
    value_.u.f64 = static_cast<double>(f);
  }
  Value(absl::string_view s) : Value(TIDEMARK_STRING, s) {}   // NOLINT(google-explicit-constructor)
  Value(const std::string& s) : Value(TIDEMARK_STRING, s) {}  // NOLINT(google-explicit-constructor)
  Value(const char* s) : Value(TIDEMARK_STRING, s) {}         // NOLINT(google-explicit-constructor)
  // Where Abseil has a view type of its own.
  template <std::same_as<std::string_view> View>
  Value(View s)  // NOLINT(google-explicit-constructor)
      : Value(TIDEMARK_STRING, absl::string_view(s.data(), s.size())) {}

  static Value Null() { return Value(); }
  // UPDATE: the stored value stays. In a before image: the old value is not known.
  static Value Unchanged() { return Value(TIDEMARK_UNCHANGED, int64_t{0}); }
  // -?[0-9]+(\.[0-9]+)?, NaN, Infinity or -Infinity.
  static Value Decimal(absl::string_view text) { return Value(TIDEMARK_DECIMAL, text); }
  static Value Bytes(absl::string_view bytes) { return Value(TIDEMARK_BYTES, bytes); }
  // One JSON text; kept byte for byte.
  static Value Json(absl::string_view text) { return Value(TIDEMARK_JSON, text); }
  static Value Date(absl::CivilDay day) {
    return Value(TIDEMARK_DATE, static_cast<int64_t>(day - absl::CivilDay(1970, 1, 1)));
  }
  static Value TimeOfDay(absl::Duration since_midnight) {
    return Value(TIDEMARK_TIME, absl::ToInt64Microseconds(since_midnight));
  }
  // An instant. absl::InfinitePast and InfiniteFuture are kept as such.
  static Value Timestamp(absl::Time time) { return Value(TIDEMARK_TIMESTAMP, Micros(time)); }
  static Value TimestampMicros(int64_t us) { return Value(TIDEMARK_TIMESTAMP, us); }
  // A reading of a clock on the wall, as if it were in UTC.
  static Value NaiveTimestamp(absl::CivilSecond second, absl::Duration fraction = {}) {
    return Value(TIDEMARK_NAIVE_TIMESTAMP,
                 Micros(absl::FromCivil(second, absl::UTCTimeZone()) + fraction));
  }
  static Value NaiveTimestampMicros(int64_t us) { return Value(TIDEMARK_NAIVE_TIMESTAMP, us); }
  // Days since 1970-01-01.
  static Value DateDays(int64_t days) { return Value(TIDEMARK_DATE, days); }

  // TIDEMARK_NULL, ...
  uint32_t kind() const { return value_.type; }
  bool has_data() const { return value_.type >= TIDEMARK_DECIMAL && value_.type <= TIDEMARK_JSON; }
  // Of kinds with data; borrowed from whoever made the value.
  absl::string_view data() const {
    return has_data() ? absl::string_view(value_.u.data, value_.length) : absl::string_view();
  }
  const tidemark_value& raw() const { return value_; }

 private:
  Value(uint32_t type, int64_t i) {
    value_.type = type;
    value_.length = 0;
    value_.u.i64 = i;
  }
  // Longer data than a length can state is beyond the limit of a row: it is refused as too long.
  Value(uint32_t type, absl::string_view s) {
    value_.type = type;
    value_.length = static_cast<uint32_t>(std::min<size_t>(s.size(), UINT32_MAX));
    value_.u.data = s.data();
  }
  static int64_t Micros(absl::Time time) {
    if (time == absl::InfinitePast()) return INT64_MIN;
    if (time == absl::InfiniteFuture()) return INT64_MAX;
    return absl::ToUnixMicros(time);
  }

  tidemark_value value_;
};

// A span of Value is an array of tidemark_value.
static_assert(sizeof(Value) == sizeof(tidemark_value) && std::is_standard_layout_v<Value> &&
              std::is_trivially_copyable_v<Value>);

// A column's value in a row given by name. Both are borrowed like Value.
struct Field {
  absl::string_view name;
  Value value;
};

}  // namespace sdk_v1
}  // namespace tidemark

#endif  // TIDEMARK_VALUE_H_
