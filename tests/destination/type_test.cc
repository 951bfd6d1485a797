// Values of every type survive the way into the table, and widening loses none of them.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/text.h"
#include "tests/destination/destination_conformance.h"

namespace tidemark {
namespace {

class DestinationTypeTest : public DestinationConformanceTest {
 protected:
  // The column "v" of the rows of `table`, in the order of their keys.
  std::vector<std::string> Values(const std::string& table) {
    auto reader = GetParam().read(folder_.path());
    auto page = (*reader)->Rows(table, 1000);
    EXPECT_TRUE(page.ok()) << page.status();
    std::vector<std::string> values;
    values.reserve(page->rows.size());
    for (const auto& row : page->rows) values.push_back(row[1].value_or("NULL"));
    return values;
  }
};

struct TypeCase {
  DataType type;
  Value value;
  std::string text;  // as it is read back
};

std::vector<TypeCase> TypeCases() {
  const double tiny = std::numeric_limits<double>::denorm_min();
  auto text = [](ValueKind kind, absl::string_view v) { return Value::Text(kind, v); };
  return {
      {DataType::kBoolean, Value::Bool(true), "1"},
      {DataType::kBoolean, Value::Bool(false), "0"},
      {DataType::kShort, Value::Int64(-32768), "-32768"},
      {DataType::kInt, Value::Int64(2147483647), "2147483647"},
      {DataType::kLong, Value::Int64(INT64_MAX), "9223372036854775807"},
      {DataType::kLong, Value::Int64(INT64_MIN), "-9223372036854775808"},
      {DataType::kDecimal, text(ValueKind::kDecimal, "1.10"), "1.10"},
      {DataType::kDecimal, text(ValueKind::kDecimal, "-007.50"), "-007.50"},
      {DataType::kDecimal, text(ValueKind::kDecimal, "12345678901234567890.123456789"),
       "12345678901234567890.123456789"},
      {DataType::kDecimal, text(ValueKind::kDecimal, "NaN"), "NaN"},
      {DataType::kFloat, Value::Double(0.5), "0.5"},
      {DataType::kDouble, Value::Double(0.1), "0.1"},
      {DataType::kDouble, Value::Double(1.0), "1"},
      {DataType::kDouble, Value::Double(tiny), DoubleText(tiny)},
      {DataType::kDouble, Value::Double(1.7976931348623157e308), "1.7976931348623157e+308"},
      {DataType::kDouble, Value::Double(INFINITY), "Infinity"},
      {DataType::kDouble, Value::Double(NAN), "NULL"},
      {DataType::kNaiveDate, Value::Int(ValueKind::kDate, 19737), "2024-01-15"},
      {DataType::kNaiveDate, Value::Int(ValueKind::kDate, -1), "1969-12-31"},
      {DataType::kNaiveTime, Value::Int(ValueKind::kTime, 86'399'999'999), "23:59:59.999999"},
      {DataType::kNaiveDatetime, Value::Int(ValueKind::kNaiveTimestamp, 500'000),
       "1970-01-01T00:00:00.500000"},
      {DataType::kUtcDatetime, Value::Int(ValueKind::kTimestamp, -1),
       "1969-12-31T23:59:59.999999Z"},
      {DataType::kUtcDatetime, Value::Int(ValueKind::kTimestamp, INT64_MAX), "infinity"},
      {DataType::kBinary, text(ValueKind::kBytes, absl::string_view("\0\xff", 2)), "0x00ff"},
      {DataType::kBinary, text(ValueKind::kBytes, ""), "0x"},
      {DataType::kXml, Value::String("<a>&amp;</a>"), "<a>&amp;</a>"},
      {DataType::kString, Value::String(""), ""},
      {DataType::kString, Value::String("007"), "007"},
      {DataType::kString, Value::String("1e5"), "1e5"},
      {DataType::kString, Value::String("\xf0\x9f\x8c\x8a wave"), "\xf0\x9f\x8c\x8a wave"},
      {DataType::kJson, text(ValueKind::kJson, "{ \"a\":1.0 }"), "{ \"a\":1.0 }"},
  };
}

TEST_P(DestinationTypeTest, ValuesOfEveryTypeRoundTripDeclaredAndInferred) {
  int number = 0;
  for (const TypeCase& one : TypeCases()) {
    for (const bool declared : {true, false}) {
      for (const size_t copies : {1u, 20u}) {  // one row by itself, and a run
        const std::string name = absl::StrCat("t", number++);
        SCOPED_TRACE(absl::StrCat(DataTypeName(one.type), " ", one.text, " ", declared));
        TargetTable target =
            Table(name, {KeyColumn("id", Declared(DataType::kLong)),
                         ValueColumn("v", declared ? Declared(one.type) : Inferred(one.type))});
        std::vector<Change> changes;
        changes.reserve(copies);
        for (size_t i = 0; i < copies; ++i) {
          changes.push_back(
              {ChangeKind::kUpsert, {Value::Int64(static_cast<int64_t>(i)), one.value}});
        }
        Write(target, changes, "1");
        EXPECT_EQ(std::vector<std::string>(copies, one.text), Values(name));
        // Read again from the source, nothing has changed.
        EXPECT_EQ(copies, Write(target, changes, "2").unchanged);
      }
    }
  }
}

struct WideningCase {
  const char* name;
  ColumnType from;
  std::vector<Value> values;
  ColumnType to;
  std::vector<std::string> texts;
};

std::vector<WideningCase> WideningCases() {
  const int64_t two53 = int64_t{1} << 53;
  std::vector<WideningCase> cases = {
      {"LONG to DOUBLE up to 2^53",
       Inferred(DataType::kLong, 1ull << 53),
       {Value::Int64(1), Value::Int64(two53), Value::Int64(-two53), Value::Null()},
       Inferred(DataType::kDouble),
       {"1", "9007199254740992", "-9007199254740992", "NULL"}},
      {"LONG to DECIMAL beyond 2^53",
       Inferred(DataType::kLong, (1ull << 53) + 1),
       {Value::Int64(two53 + 1), Value::Int64(INT64_MIN)},
       Inferred(DataType::kDecimal),
       {"9007199254740993", "-9223372036854775808"}},
      {"DOUBLE to DECIMAL by shortest text",
       Inferred(DataType::kDouble),
       {Value::Double(0.1), Value::Double(1e22), Value::Double(1.0 / 3)},
       Inferred(DataType::kDecimal),
       {"0.1", "10000000000000000000000", "0.3333333333333333"}},
      {"DOUBLE to STRING keeps every digit",
       Inferred(DataType::kDouble),
       {Value::Double(1), Value::Double(1.5), Value::Double(0.1 + 0.2), Value::Double(INFINITY)},
       Inferred(DataType::kString),
       {"1", "1.5", "0.30000000000000004", "Infinity"}},
      {"BOOLEAN to STRING",
       Inferred(DataType::kBoolean),
       {Value::Bool(true), Value::Bool(false)},
       Inferred(DataType::kString),
       {"true", "false"}},
      {"BINARY to STRING",
       Inferred(DataType::kBinary),
       {Value::Text(ValueKind::kBytes, "\x01\xab")},
       Inferred(DataType::kString),
       {"01ab"}},
      {"UTC_DATETIME to STRING",
       Inferred(DataType::kUtcDatetime),
       {Value::Int(ValueKind::kTimestamp, 0)},
       Inferred(DataType::kString),
       {"1970-01-01T00:00:00.000000Z"}},
      {"DECIMAL to STRING",
       Inferred(DataType::kDecimal),
       {Value::Text(ValueKind::kDecimal, "1.10")},
       Inferred(DataType::kString),
       {"1.10"}},
      {"SHORT to LONG",
       Declared(DataType::kShort),
       {Value::Int64(7)},
       Declared(DataType::kLong),
       {"7"}},
  };
  const size_t inferred = cases.size();
  for (size_t i = 0; i + 1 < inferred; ++i) {  // the same where SQLite has to rebuild the table
    WideningCase declared = cases[i];
    declared.from.declared = declared.to.declared = true;
    if (Widen(declared.from, declared.to).type == declared.to.type) cases.push_back(declared);
  }
  return cases;
}

TEST_P(DestinationTypeTest, WideningLosesNoStoredValue) {
  int number = 0;
  for (const WideningCase& one : WideningCases()) {
    SCOPED_TRACE(absl::StrCat(one.name, one.from.declared ? ", declared" : ", inferred"));
    const std::string name = absl::StrCat("w", number++);
    TargetTable target =
        Table(name, {KeyColumn("id", Declared(DataType::kLong)), ValueColumn("v", one.from)});
    std::vector<Change> changes;
    changes.reserve(one.values.size());
    for (size_t i = 0; i < one.values.size(); ++i) {
      changes.push_back(
          {ChangeKind::kUpsert, {Value::Int64(static_cast<int64_t>(i)), one.values[i]}});
    }
    Write(target, changes, "1");
    target.columns[1].type = one.to;
    Write(target, {}, "2");
    EXPECT_EQ(one.texts, Values(name));
    ASSERT_EQ(1u, schema_changes_.size());
    EXPECT_EQ("v", schema_changes_[0].column);
    EXPECT_EQ(
        absl::StrCat("widened ", DataTypeName(one.from.type), " to ", DataTypeName(one.to.type)),
        schema_changes_[0].what);
    Write(target, {}, "3");
    EXPECT_TRUE(schema_changes_.empty());
    Reopen();
    for (const StoredTable& stored : acquired_.tables) {
      if (stored.table.name == name) {
        EXPECT_EQ(one.to.type, stored.table.columns[1].type.type);
      }
    }
  }
}

// Issue 3, point 9: three syncs of one field as 1, 1.5, "x".
TEST_P(DestinationTypeTest, OneFieldAsIntegerThenFractionThenText) {
  TargetTable target = Table("f", {KeyColumn("id", Declared(DataType::kLong)),
                                   ValueColumn("v", Inferred(DataType::kLong, 1))});
  Write(target, {{ChangeKind::kUpsert, {Value::Int64(1), Value::Int64(1)}}}, "1");
  EXPECT_EQ(std::vector<std::string>({"1"}), Values("f"));
  target.columns[1].type = Inferred(DataType::kDouble, 1);
  Write(target, {{ChangeKind::kUpsert, {Value::Int64(2), Value::Double(1.5)}}}, "2");
  EXPECT_EQ(std::vector<std::string>({"1", "1.5"}), Values("f"));
  target.columns[1].type = Inferred(DataType::kString, 1);
  EXPECT_EQ("inserted 1, unchanged 1",
            CountsText(Write(target,
                             {{ChangeKind::kUpsert, {Value::Int64(3), Value::String("x")}},
                              {ChangeKind::kUpsert, {Value::Int64(1), Value::String("1")}}},
                             "3")));
  EXPECT_EQ(std::vector<std::string>({"1", "1.5", "x"}), Values("f"));
}

TEST_P(DestinationTypeTest, KeysWidenToo) {
  for (const bool declared : {true, false}) {
    const std::string name = declared ? "declared" : "inferred";
    auto type = [declared](DataType t) { return declared ? Declared(t) : Inferred(t); };
    TargetTable target = Table(name, {KeyColumn("id", type(DataType::kLong)),
                                      ValueColumn("v", Declared(DataType::kString))});
    Write(target, {{ChangeKind::kUpsert, {Value::Int64(7), Value::String("a")}}}, "1");
    target.columns[0].type = type(DataType::kString);
    EXPECT_EQ("inserted 1, updated 1",
              CountsText(Write(target,
                               {{ChangeKind::kUpsert, {Value::String("007"), Value::String("b")}},
                                {ChangeKind::kUpsert, {Value::String("7"), Value::String("c")}}},
                               "2")));
  }
}

TEST_P(DestinationTypeTest, AColumnOfOnlyNullsIsMadeWhenItsTypeIsKnown) {
  TargetTable target = Table("n", {KeyColumn("id", Declared(DataType::kLong)),
                                   ValueColumn("v", Inferred(DataType::kUndeclared))});
  Write(target, {{ChangeKind::kUpsert, {Value::Int64(1), Value::Null()}}}, "1");
  EXPECT_EQ("1|0\n", Rows("n"));
  Reopen();
  ASSERT_EQ(2u, acquired_.tables[0].table.columns.size());
  target.columns[1].type = Inferred(DataType::kString);
  Write(target, {{ChangeKind::kUpsert, {Value::Int64(2), Value::String("x")}}}, "2");
  ASSERT_EQ(1u, schema_changes_.size());
  EXPECT_EQ("column added, STRING", schema_changes_[0].what);
  EXPECT_EQ("1|0|NULL\n2|0|x\n", Rows("n"));
}

TEST_P(DestinationTypeTest, ColumnsThatTheSourceLostBecomeNull) {
  Write(People(), {Upsert(1, "a", 1), Upsert(2, "b", 2)}, "1");
  TargetTable target = People();
  target.columns.pop_back();
  EXPECT_EQ("updated 1",
            CountsText(Write(target, {{ChangeKind::kUpsert, {Value::Int64(1), Value::String("a")}}},
                             "2")));
  EXPECT_EQ("1|a|NULL|0\n2|b|2|0\n", Rows("people"));
}

INSTANTIATE_TEST_SUITE_P(All, DestinationTypeTest, DestinationKinds(), KindName);

}  // namespace
}  // namespace tidemark
