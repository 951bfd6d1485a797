#include "core/type.h"

#include <gtest/gtest.h>

#include <random>

namespace tidemark {
namespace {

ColumnType Inferred(DataType type, uint64_t max_abs = 0) {
  ColumnType column;
  column.type = type;
  column.max_abs = max_abs;
  return column;
}
ColumnType Declared(DataType type, int precision = 0, int scale = 0) {
  ColumnType column;
  column.type = type;
  column.declared = true;
  column.precision = precision;
  column.scale = scale;
  return column;
}

TEST(TypeTest, NamesReadBackInAnyCase) {
  for (int i = 0; i <= 15; ++i) {
    const auto type = static_cast<DataType>(i);
    EXPECT_EQ(ParseDataType(DataTypeName(type)), type);
  }
  EXPECT_EQ(ParseDataType("utc_datetime"), DataType::kUtcDatetime);
  EXPECT_EQ(ParseDataType("VARCHAR"), std::nullopt);
}

TEST(TypeTest, WideningFollowsTheTable) {
  constexpr uint64_t k53 = uint64_t{1} << 53;
  struct Case {
    ColumnType a, b;
    DataType want;
  };
  const Case cases[] = {
      {Inferred(DataType::kUndeclared), Inferred(DataType::kLong, 1), DataType::kLong},
      {Inferred(DataType::kLong, 1), Inferred(DataType::kDouble), DataType::kDouble},
      {Inferred(DataType::kLong, k53), Inferred(DataType::kDouble), DataType::kDouble},
      {Inferred(DataType::kLong, k53 + 1), Inferred(DataType::kDouble), DataType::kDecimal},
      {Inferred(DataType::kLong, 1), Inferred(DataType::kDecimal), DataType::kDecimal},
      {Inferred(DataType::kDouble), Inferred(DataType::kDecimal), DataType::kDecimal},
      {Declared(DataType::kShort), Declared(DataType::kLong), DataType::kLong},
      {Declared(DataType::kShort), Declared(DataType::kInt), DataType::kInt},
      {Declared(DataType::kInt), Declared(DataType::kDouble), DataType::kDouble},
      {Declared(DataType::kLong), Declared(DataType::kDouble), DataType::kDecimal},
      {Declared(DataType::kFloat), Declared(DataType::kDouble), DataType::kDouble},
      {Inferred(DataType::kLong, 1), Inferred(DataType::kString), DataType::kString},
      {Declared(DataType::kBoolean), Declared(DataType::kLong), DataType::kString},
      {Declared(DataType::kNaiveDate), Declared(DataType::kUtcDatetime), DataType::kString},
      {Inferred(DataType::kJson), Inferred(DataType::kString), DataType::kString},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Widen(c.a, c.b).type, c.want)
        << DataTypeName(c.a.type) << " v " << DataTypeName(c.b.type);
  }
  EXPECT_EQ(Widen(Inferred(DataType::kDouble), Inferred(DataType::kDecimal), true).type,
            DataType::kString);
}

TEST(TypeTest, DecimalsKeepDigitsOnBothSides) {
  const ColumnType joined =
      Widen(Declared(DataType::kDecimal, 10, 2), Declared(DataType::kDecimal, 8, 4));
  EXPECT_EQ(joined.precision, 12);
  EXPECT_EQ(joined.scale, 4);
}

TEST(TypeTest, WideningIsCommutativeAssociativeAndIdempotent) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  const auto any = [&random] {
    ColumnType column;
    column.type = static_cast<DataType>(random() % 16);
    column.declared = random() % 2 == 0;
    if (column.type == DataType::kDecimal && random() % 2 == 0) {
      column.scale = static_cast<int32_t>(random() % 5);
      column.precision = column.scale + static_cast<int32_t>(random() % 10) + 1;
    }
    if (column.type == DataType::kLong && !column.declared) {
      column.max_abs = uint64_t{1} << (random() % 64);
    }
    return column;
  };
  const auto same = [](const ColumnType& a, const ColumnType& b) {
    return a.type == b.type && a.precision == b.precision && a.scale == b.scale;
  };
  for (int i = 0; i < 20'000; ++i) {
    const ColumnType a = any(), b = any(), c = any();
    ASSERT_TRUE(same(Widen(a, b), Widen(b, a)));
    ASSERT_TRUE(same(Widen(a, a), a));
    ASSERT_TRUE(same(Widen(Widen(a, b), c), Widen(a, Widen(b, c))))
        << DataTypeName(a.type) << " " << DataTypeName(b.type) << " " << DataTypeName(c.type)
        << " max " << a.max_abs << " " << b.max_abs << " " << c.max_abs;
  }
}

}  // namespace
}  // namespace tidemark
