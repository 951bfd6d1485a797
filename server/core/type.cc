#include "core/type.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace tidemark {
namespace {

constexpr std::array<absl::string_view, 16> kNames = {
    "UNDECLARED", "BOOLEAN", "SHORT",      "INT",        "LONG",           "DECIMAL",
    "FLOAT",      "DOUBLE",  "NAIVE_DATE", "NAIVE_TIME", "NAIVE_DATETIME", "UTC_DATETIME",
    "BINARY",     "XML",     "STRING",     "JSON"};

constexpr uint64_t kExactInDouble = uint64_t{1} << 53;

bool IsInteger(DataType type) {
  return type == DataType::kShort || type == DataType::kInt || type == DataType::kLong;
}
bool IsBinaryFloat(DataType type) { return type == DataType::kFloat || type == DataType::kDouble; }
bool IsNumber(DataType type) {
  return IsInteger(type) || IsBinaryFloat(type) || type == DataType::kDecimal;
}

// DECIMAL(p,s) that holds both; 0 digits means unlimited, and so does more than 38.
void JoinDecimals(const ColumnType& a, const ColumnType& b, ColumnType* joined) {
  if (a.precision == 0 || b.precision == 0) {
    joined->precision = joined->scale = 0;
    return;
  }
  joined->scale = std::max(a.scale, b.scale);
  joined->precision = std::max(a.precision - a.scale, b.precision - b.scale) + joined->scale;
}

// The joined type of two different, known types.
DataType Join(const ColumnType& a, const ColumnType& b, uint64_t max_abs, bool nonfinite) {
  if (!IsNumber(a.type) || !IsNumber(b.type)) return DataType::kString;
  if (IsInteger(a.type) && IsInteger(b.type)) return std::max(a.type, b.type);
  if (IsBinaryFloat(a.type) && IsBinaryFloat(b.type)) return DataType::kDouble;
  const bool has_decimal = a.type == DataType::kDecimal || b.type == DataType::kDecimal;
  const bool has_float = IsBinaryFloat(a.type) || IsBinaryFloat(b.type);
  if (has_decimal) return has_float && nonfinite ? DataType::kString : DataType::kDecimal;
  // An integer and a binary fraction: a double holds integers exactly up to 2^53 only.
  if (max_abs <= kExactInDouble) return DataType::kDouble;
  return nonfinite ? DataType::kString : DataType::kDecimal;
}

// What a declared integer type may hold, for columns whose values were not measured.
uint64_t LargestAbs(const ColumnType& type) {
  if (!type.declared) return type.max_abs;
  switch (type.type) {
    case DataType::kShort:
      return uint64_t{1} << 15;
    case DataType::kInt:
      return uint64_t{1} << 31;
    case DataType::kLong:
      return std::max(type.max_abs, kExactInDouble + 1);
    default:
      return type.max_abs;
  }
}

}  // namespace

absl::string_view DataTypeName(DataType type) {
  const auto index = static_cast<size_t>(type);
  return index < kNames.size() ? kNames[index] : "UNKNOWN";
}

std::optional<DataType> ParseDataType(absl::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (absl::EqualsIgnoreCase(name, kNames[i])) return static_cast<DataType>(i);
  }
  return std::nullopt;
}

ColumnType Widen(const ColumnType& a, const ColumnType& b, bool nonfinite) {
  if (a.type == DataType::kUndeclared) return b;
  if (b.type == DataType::kUndeclared) return a;
  ColumnType joined;
  joined.declared = a.declared && b.declared;
  joined.max_abs = std::max(LargestAbs(a), LargestAbs(b));
  joined.type = a.type == b.type ? a.type : Join(a, b, joined.max_abs, nonfinite);
  if (joined.type == DataType::kDecimal && a.type == b.type) JoinDecimals(a, b, &joined);
  return joined;
}

}  // namespace tidemark
