// Column types: the 15 names connector authors know, and how two types join.
// semantics.md section 2 ("Types") is the rule; this file is its only implementation.
#ifndef TIDEMARK_CORE_TYPE_H_
#define TIDEMARK_CORE_TYPE_H_

#include <cstdint>
#include <optional>

#include "absl/strings/string_view.h"

namespace tidemark {

// The numbers are those of plugin_abi.h and connector.proto and never change.
enum class DataType : uint8_t {
  kUndeclared = 0,  // no type known yet: inferred from the values
  kBoolean = 1,
  kShort = 2,  // 16 bit signed
  kInt = 3,    // 32 bit signed
  kLong = 4,   // 64 bit signed
  kDecimal = 5,
  kFloat = 6,
  kDouble = 7,
  kNaiveDate = 8,
  kNaiveTime = 9,
  kNaiveDatetime = 10,
  kUtcDatetime = 11,
  kBinary = 12,
  kXml = 13,
  kString = 14,
  kJson = 15,
};

// "LONG", "UTC_DATETIME", ...; kUndeclared is "UNDECLARED".
absl::string_view DataTypeName(DataType type);
// Case-insensitive inverse of DataTypeName; nullopt for any other text.
std::optional<DataType> ParseDataType(absl::string_view name);

// The type of one column as the engine knows it. A value type.
struct ColumnType {
  DataType type = DataType::kUndeclared;
  int32_t precision = 0;  // kDecimal only, digits in all; 0: unlimited
  int32_t scale = 0;      // kDecimal only, digits behind the point
  bool declared = false;  // false: inferred from values, may widen with every value
  // Largest absolute value of an integer seen in an inferred column (2^63 for INT64_MIN).
  // Decides whether LONG v DOUBLE is lossless (<= 2^53).
  uint64_t max_abs = 0;

  friend bool operator==(const ColumnType&, const ColumnType&) = default;
};

// The narrowest type that holds every value of `a` and of `b` without loss: commutative,
// associative, idempotent (tests/core/type_test.cc proves it on random triples).
// `nonfinite` says that a DOUBLE side has held NaN or an infinity, so that DOUBLE v DECIMAL is
// STRING. kUndeclared is the neutral element.
ColumnType Widen(const ColumnType& a, const ColumnType& b, bool nonfinite = false);

}  // namespace tidemark

#endif  // TIDEMARK_CORE_TYPE_H_
