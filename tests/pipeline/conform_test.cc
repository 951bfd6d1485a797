// Rows against column types: what is kept, converted, inferred, set aside.
#include "pipeline/conform.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/time_text.h"
#include "tests/pipeline/rows.h"

namespace tidemark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kSecond = 1'000'000;

// A value with its kind, for comparisons by eye: "INT 5".
std::string Show(const Value& value) {
  static constexpr const char* kKinds[] = {"NULL",    "UNCHANGED", "BOOL",  "INT",  "DOUBLE",
                                           "DECIMAL", "STRING",    "BYTES", "JSON", "DATE",
                                           "TIME",    "TIMESTAMP", "NAIVE"};
  const std::string text = CanonicalText(value);
  return absl::StrCat(kKinds[static_cast<size_t>(value.kind)], text.empty() ? "" : " ", text);
}

std::vector<std::string> ShowRow(const ChangeBatch& batch, size_t row) {
  std::vector<std::string> shown;
  for (const Value& value : batch.row(row)) shown.push_back(Show(value));
  return shown;
}

// A table and its conformer.
struct Subject {
  explicit Subject(const TableSchema& table, ConversionOptions options = {}, bool dates = false,
                   const TableRule& rule = {})
      : target(*TableTarget::Create(table, rule, Naming::kSource, {}, nullptr)),
        conformer(options, dates) {
    conformer.SetTarget(target);
  }
  // As TableWriter does it.
  ChangeBatch Run(Rows&& rows) {
    ChangeBatch batch = std::move(rows).Take();
    bad.clear();
    truncates.clear();
    EXPECT_TRUE(conformer.CheckShape(batch).ok());
    for (const TypeChange& change : conformer.Infer(batch)) {
      target.SetType(change.column, change.type);
    }
    conformer.SetTarget(target);
    conformer.Conform(&batch, &bad, &truncates);
    return batch;
  }
  TableTarget target;
  Conformer conformer;
  std::vector<BadRow> bad;
  std::vector<uint32_t> truncates;
};

struct Conversion {
  DataType type;
  Cell given;
  std::string kept;  // empty: refused
  const char* says = "";
};

const int64_t kHalfPastTen = 1'705'314'600 * kSecond;  // 2024-01-15T10:30:00Z

const Conversion kConversions[] = {
    {DataType::kBoolean, Flag(true), "BOOL true"},
    {DataType::kBoolean, 1, "BOOL true"},
    {DataType::kBoolean, 2, "", "an integer does not fit BOOLEAN"},
    {DataType::kBoolean, "false", "BOOL false"},
    {DataType::kBoolean, "no", ""},
    {DataType::kShort, 32767, "INT 32767"},
    {DataType::kShort, 32768, "", "out of the range of SHORT"},
    {DataType::kShort, -32768, "INT -32768"},
    {DataType::kInt, int64_t{1} << 31, "", "out of the range of INT"},
    {DataType::kInt, -(int64_t{1} << 31), "INT -2147483648"},
    {DataType::kLong, std::numeric_limits<int64_t>::min(), "INT -9223372036854775808"},
    {DataType::kLong, 5.0, "INT 5"},
    {DataType::kLong, 5.5, "", "no integer"},
    {DataType::kLong, 0x1p63, "", "no integer of 64 bits"},
    {DataType::kLong, std::nan(""), "", "no integer"},
    {DataType::kLong, "42", "INT 42"},
    {DataType::kLong, Decimal("42.00"), "INT 42"},
    {DataType::kLong, Decimal("9223372036854775808"), "", "64 bits"},
    {DataType::kLong, "4x", ""},
    {DataType::kLong, Json("4"), "", "JSON does not fit LONG"},
    {DataType::kDecimal, Decimal("1.10"), "DECIMAL 1.1"},
    {DataType::kDecimal, 7, "DECIMAL 7"},
    {DataType::kDecimal, 0.1, "DECIMAL 0.1"},
    {DataType::kDecimal, 1e22, "DECIMAL 10000000000000000000000"},
    {DataType::kDecimal, "12.5", "DECIMAL 12.5"},
    {DataType::kDecimal, "1e5", ""},
    {DataType::kDecimal, Decimal("1."), "", "not written as one"},
    {DataType::kDecimal, Decimal("NaN"), "NULL"},
    {DataType::kDecimal, Decimal("-Infinity"), "DECIMAL -Infinity"},
    {DataType::kDouble, 1.5, "DOUBLE 1.5"},
    {DataType::kDouble, int64_t{1} << 53, "DOUBLE 9007199254740992"},
    {DataType::kDouble, (int64_t{1} << 53) + 1, "", "beyond 2^53"},
    {DataType::kDouble, Decimal("0.1"), "DOUBLE 0.1"},
    {DataType::kDouble, Decimal("0.1000000000000000055"), "", "more digits"},
    {DataType::kDouble, std::nan(""), "NULL"},
    {DataType::kDouble, HUGE_VAL, "DOUBLE Infinity"},
    {DataType::kDouble, "abc", ""},
    {DataType::kNaiveDate, Cell(ValueKind::kDate, 19737), "DATE 2024-01-15"},
    {DataType::kNaiveDate, "2024-01-15", "DATE 2024-01-15"},
    {DataType::kNaiveDate, Timestamp(kHalfPastTen), "", "not midnight"},
    {DataType::kNaiveDate, Timestamp(-86'400 * kSecond), "DATE 1969-12-31"},
    {DataType::kNaiveDate, Cell(ValueKind::kDate, int64_t{1} << 60), "", "0000 to 9999"},
    {DataType::kNaiveDate, Cell(ValueKind::kDate, -719'529), "", "0000 to 9999"},
    {DataType::kNaiveDate, Cell(ValueKind::kDate, 2'932'896), "DATE 9999-12-31"},
    {DataType::kNaiveTime, Cell(ValueKind::kTime, 86'400 * kSecond), "TIME 24:00:00.000000"},
    {DataType::kNaiveTime, Cell(ValueKind::kTime, -1), "", "outside of 00:00 to 24:00"},
    {DataType::kNaiveTime, "10:30:00", "TIME 10:30:00.000000"},
    {DataType::kNaiveDatetime, Cell(ValueKind::kNaiveTimestamp, kHalfPastTen),
     "NAIVE 2024-01-15T10:30:00.000000"},
    {DataType::kUtcDatetime, "2024-01-15T12:30:00+02:00", "TIMESTAMP 2024-01-15T10:30:00.000000Z"},
    {DataType::kUtcDatetime, "2024-01-15 10:30:00", "TIMESTAMP 2024-01-15T10:30:00.000000Z"},
    {DataType::kUtcDatetime, "yesterday", "", "no ISO 8601 time"},
    {DataType::kUtcDatetime, Timestamp(253'402'300'800 * kSecond), "", "0000 to 9999"},
    {DataType::kUtcDatetime, Timestamp(253'402'300'799 * kSecond),
     "TIMESTAMP 9999-12-31T23:59:59.000000Z"},
    {DataType::kUtcDatetime, Timestamp(std::numeric_limits<int64_t>::max()), "TIMESTAMP infinity"},
    {DataType::kUtcDatetime, 1'705'314'600, "", "an integer does not fit UTC_DATETIME"},
    {DataType::kUtcDatetime, Timestamp(std::numeric_limits<int64_t>::max()), "TIMESTAMP infinity"},
    {DataType::kBinary, Bytes(std::string("\0\xff", 2)), "BYTES 00ff"},
    {DataType::kBinary, "ab", "BYTES 6162"},
    {DataType::kBinary, 1, ""},
    {DataType::kString, "007", "STRING 007"},
    {DataType::kString, 7, "STRING 7"},
    {DataType::kString, 1.5, "STRING 1.5"},
    {DataType::kString, Flag(false), "STRING false"},
    {DataType::kString, Decimal("1.10"), "STRING 1.10"},
    {DataType::kString, Timestamp(kHalfPastTen), "STRING 2024-01-15T10:30:00.000000Z"},
    {DataType::kString, Json("{\"a\": 1}"), "STRING {\"a\": 1}"},
    {DataType::kString, "Grüße 日本", "STRING Grüße 日本"},
    {DataType::kString, "\xff", "", "not UTF-8"},
    {DataType::kString, "01234567\xc3", "", "not UTF-8"},
    {DataType::kString, std::string("a\0b", 3), "", "U+0000"},
    {DataType::kString, std::string("01234567890123\0x", 16), "", "U+0000"},
    {DataType::kXml, "<a/>", "STRING <a/>"},
    {DataType::kXml, 1, ""},
    {DataType::kJson, Json("{\"n\": 1.0}"), "JSON {\"n\": 1.0}"},
    {DataType::kJson, Json("{\"n\": }"), "", "not JSON"},
    {DataType::kJson, "[1]", "JSON [1]"},
    {DataType::kJson, 5, "JSON 5"},
    {DataType::kJson, HUGE_VAL, "", "not JSON"},
};

TEST(ConformTest, ConvertsExactlyOrRefuses) {
  for (const Conversion& c : kConversions) {
    Subject subject(Table("t", {{"id", DataType::kLong, true}, {"v", c.type}}));
    const ChangeBatch batch = subject.Run(Rows(0, 2).Upsert({1, c.given}));
    const std::string what =
        absl::StrCat(std::string(DataTypeName(c.type)), " of ", Show(c.given.View()));
    if (c.kept.empty()) {
      EXPECT_EQ(batch.row_count, 0U) << what;
      ASSERT_THAT(subject.bad, SizeIs(1)) << what;
      EXPECT_THAT(std::string(subject.bad[0].status.message()), HasSubstr("column v: ")) << what;
      EXPECT_THAT(std::string(subject.bad[0].status.message()), HasSubstr(c.says)) << what;
    } else {
      ASSERT_EQ(batch.row_count, 1U) << what;
      EXPECT_THAT(ShowRow(batch, 0), ElementsAre("INT 1", c.kept)) << what;
    }
  }
}

TEST(ConformTest, DecimalsMustFitTheirDeclaration) {
  TableSchema table = Table("t", {{"id", DataType::kLong, true}, {"v", DataType::kDecimal}});
  table.columns[1].type.precision = 5;
  table.columns[1].type.scale = 2;
  struct Case {
    const char* text;
    bool fits;
  };
  for (const Case& c : {Case{"123.45", true}, Case{"-999.99", true}, Case{"1000", false},
                        Case{"1.234", false}, Case{"1.230", true}, Case{"000123.4", true}}) {
    Subject subject(table);
    EXPECT_EQ(subject.Run(Rows(0, 2).Upsert({1, Decimal(c.text)})).row_count, c.fits ? 1U : 0U)
        << c.text;
  }
}

TEST(ConformTest, ValuesBeyondTheDestinationsLimitAreDeadLetters) {
  ConversionOptions options;
  options.max_value_bytes = 4;
  for (const DataType type : {DataType::kString, DataType::kBinary, DataType::kJson}) {
    Subject subject(Table("t", {{"id", DataType::kLong, true}, {"v", type}}), options);
    const ValueKind kind = StoredKind(type);
    EXPECT_EQ(subject.Run(Rows(0, 2).Upsert({1, Cell(kind, "1234")})).row_count, 1U);
    EXPECT_EQ(subject.Run(Rows(0, 2).Upsert({1, Cell(kind, "12345")})).row_count, 0U);
    EXPECT_THAT(std::string(subject.bad[0].status.message()),
                HasSubstr("5 bytes; the destination holds 4"));
  }
}

TEST(ConformTest, CountsWhatItHadToGiveUp) {
  ConversionOptions options;
  options.strip_text_nul = true;
  options.keeps_infinity = false;
  Subject subject(Table("t", {{"id", DataType::kLong, true},
                              {"d", DataType::kDouble},
                              {"s", DataType::kString},
                              {"at", DataType::kUtcDatetime}}),
                  options);
  const ChangeBatch batch = subject.Run(
      Rows(0, 4)
          .Upsert({1, std::nan(""), std::string("a\0b\0", 4), "2024-01-15T10:30:00.1234567Z"})
          .Upsert({2, HUGE_VAL, "x", "2016-12-31T23:59:60Z"}));
  EXPECT_THAT(ShowRow(batch, 0),
              ElementsAre("INT 1", "NULL", "STRING ab", "TIMESTAMP 2024-01-15T10:30:00.123456Z"));
  EXPECT_THAT(ShowRow(batch, 1),
              ElementsAre("INT 2", "NULL", "STRING x", "TIMESTAMP 2016-12-31T23:59:59.999999Z"));
  const std::vector<ConversionNotes> notes = subject.conformer.TakeNotes();
  EXPECT_EQ(notes[1].nan, 1U);
  EXPECT_EQ(notes[1].infinity, 1U);
  EXPECT_EQ(notes[2].nul_stripped, 1U);
  EXPECT_EQ(notes[3].truncated, 1U);
  EXPECT_EQ(notes[3].leap_seconds, 1U);
  EXPECT_FALSE(subject.conformer.TakeNotes()[1].any());
}

TEST(ConformTest, RowsWithoutAWholeKeyAreSetAside) {
  Subject subject(Table(
      "t",
      {{"a", DataType::kLong, true}, {"v", DataType::kString}, {"b", DataType::kString, true}}));
  const ChangeBatch batch = subject.Run(Rows(0, 3)
                                            .Upsert({1, "x", nullptr})
                                            .Upsert({2, "x", "k"})
                                            .Update({3, "x", Unchanged()})
                                            .Delete({nullptr, nullptr, "k"}));
  EXPECT_EQ(batch.row_count, 1U);
  EXPECT_THAT(ShowRow(batch, 0), ElementsAre("INT 2", "STRING x", "STRING k"));
  ASSERT_THAT(subject.bad, SizeIs(3));
  EXPECT_EQ(subject.bad[0].status.message(), "column b: a key must not be NULL");
  EXPECT_EQ(subject.bad[0].key_json, "{\"a\":1,\"b\":null}");
  EXPECT_EQ(subject.bad[0].change_json,
            "{\"op\":\"upsert\",\"values\":{\"a\":1,\"v\":\"x\",\"b\":null}}");
  EXPECT_EQ(subject.bad[1].status.message(), "column b: the key is not given");
  // The batch has the first two columns only: half a key.
  EXPECT_EQ(subject.Run(Rows(0, 2).Upsert({1, "x"})).row_count, 0U);
  EXPECT_THAT(std::string(subject.bad[0].status.message()), HasSubstr("column b: the key"));
}

TEST(ConformTest, OmittedTrailingColumnsAreNullInUpsertsAndUnchangedInUpdates) {
  Subject subject(
      Table("t", {{"id", DataType::kLong, true}, {"a", DataType::kLong}, {"b", DataType::kLong}}));
  const ChangeBatch batch = subject.Run(Rows(0, 2)
                                            .Upsert({1, 2})
                                            .Update({1, Unchanged()})
                                            .Add(ChangeKind::kSnapshot, {3, 4})
                                            .Delete({1, "what a delete carries beside its key"}));
  EXPECT_THAT(ShowRow(batch, 0), ElementsAre("INT 1", "INT 2", "NULL"));
  EXPECT_THAT(ShowRow(batch, 1), ElementsAre("INT 1", "UNCHANGED", "UNCHANGED"));
  EXPECT_THAT(ShowRow(batch, 2), ElementsAre("INT 3", "INT 4", "NULL"));
  EXPECT_THAT(ShowRow(batch, 3), ElementsAre("INT 1", "NULL", "NULL"));
  EXPECT_THAT(subject.bad, IsEmpty());
}

TEST(ConformTest, UnchangedIsForUpdatesOnly) {
  Subject subject(Table("t", {{"id", DataType::kLong, true}, {"a", DataType::kLong}}));
  EXPECT_EQ(subject.Run(Rows(0, 2).Upsert({1, Unchanged()})).row_count, 0U);
  EXPECT_THAT(std::string(subject.bad[0].status.message()), HasSubstr("updates only"));
}

TEST(ConformTest, KeyChangesKeepTheOldKeyAndNothingElse) {
  Subject subject(Table("t", {{"id", DataType::kLong, true}, {"v", DataType::kString}}));
  const ChangeBatch batch = subject.Run(Rows(0, 2)
                                            .Update({2, "x"})
                                            .Before({"1", "old"})  // text: converted like any
                                            .Update({3, "y"})
                                            .Before({3, "old"})  // the same key: no change of it
                                            .Upsert({4, "z"})
                                            .Before({9, "old"}));
  ASSERT_THAT(batch.before_rows, ElementsAre(0U));
  EXPECT_EQ(Show(batch.before_row(0)[0]), "INT 1");
  EXPECT_EQ(Show(batch.before_row(0)[1]), "UNCHANGED");
}

// Its destination may take it for an upsert: what the source does not have any more becomes NULL.
TEST(ConformTest, KeyChangesWithEveryValueLeaveNothingToTheOldRow) {
  const ColumnSpec id = {"id", DataType::kLong, true};
  const ColumnSpec value = {"v", DataType::kString};
  const Subject earlier(Table("t", {id, value, {"gone", DataType::kLong}}));
  const TableSchema now = Table("t", {id, value});
  Subject subject(now);
  subject.target = *TableTarget::Create(now, {}, Naming::kSource, {}, &earlier.target.target());
  subject.conformer.SetTarget(subject.target);
  const ChangeBatch batch = subject.Run(Rows(0, 2)
                                            .Update({2, "x"})
                                            .Before({1})
                                            .Update({3, Unchanged()})
                                            .Before({2})
                                            .Update({3, "y"}));
  ASSERT_THAT(batch.before_rows, ElementsAre(0U, 1U));
  EXPECT_THAT(ShowRow(batch, 0), ElementsAre("INT 2", "STRING x", "NULL"));
  EXPECT_THAT(ShowRow(batch, 1), ElementsAre("INT 3", "UNCHANGED", "UNCHANGED"));
  EXPECT_THAT(ShowRow(batch, 2), ElementsAre("INT 3", "STRING y", "UNCHANGED"));
}

TEST(ConformTest, TruncatesAreTakenOutWithTheirPlace) {
  Subject subject(Table("t", {{"id", DataType::kLong, true}}));
  const ChangeBatch batch =
      subject.Run(Rows(0, 1).Upsert({1}).Truncate().Upsert({nullptr}).Upsert({2}).Truncate());
  EXPECT_EQ(batch.row_count, 2U);
  EXPECT_THAT(subject.truncates, ElementsAre(1U, 2U));
  EXPECT_THAT(subject.bad, SizeIs(1));
}

TEST(ConformTest, ExcludedColumnsAreIgnoredWhateverTheyHold) {
  TableRule rule;
  rule.exclude_columns = {"junk"};
  Subject subject(
      Table("t",
            {{"id", DataType::kLong, true}, {"junk", DataType::kLong}, {"v", DataType::kString}}),
      {}, false, rule);
  const ChangeBatch batch = subject.Run(Rows(0, 3).Upsert({1, "not a number", "x"}));
  EXPECT_THAT(ShowRow(batch, 0), ElementsAre("INT 1", "STRING x"));
}

TEST(ConformTest, KeepsRowsInPlaceWhereColumnsMapOneToOne) {
  Subject subject(Table("t", {{"id", DataType::kLong, true}, {"v", DataType::kString}}));
  ChangeBatch batch = Rows(0, 2).Upsert({1, "a"}).Upsert({2, "b"}).Take();
  const Value* values = batch.values.data();
  subject.conformer.Conform(&batch, &subject.bad, &subject.truncates);
  EXPECT_EQ(batch.values.data(), values);
}

TEST(ConformTest, StructuresThatDoNotFitAreThePluginsFault) {
  Subject subject(Table("t", {{"id", DataType::kLong, true}}));
  ChangeBatch wide = Rows(0, 2).Upsert({1, 2}).Take();
  ChangeBatch torn = Rows(0, 1).Upsert({1}).Take();
  torn.values.pop_back();
  ChangeBatch odd = Rows(0, 1).Upsert({1}).Take();
  odd.ops[0] = 9;
  ChangeBatch before = Rows(0, 1).Update({1}).Before({2}).Take();
  before.before_rows[0] = 5;
  for (const ChangeBatch* batch : {&wide, &torn, &odd, &before}) {
    const absl::Status status = subject.conformer.CheckShape(*batch);
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
    EXPECT_THAT(std::string(status.message()), HasSubstr("plugin misbehaved: table t: "));
  }
}

TEST(ConformTest, SensitiveValuesStayOutOfDeadLetters) {
  TableSchema table = Table("t", {{"id", DataType::kLong, true}, {"pin", DataType::kLong}});
  table.columns[1].sensitive = true;
  Subject subject(table);
  subject.Run(Rows(0, 2).Upsert({1, "swordfish"}));
  ASSERT_THAT(subject.bad, SizeIs(1));
  EXPECT_EQ(subject.bad[0].change_json,
            "{\"op\":\"upsert\",\"values\":{\"id\":1,\"pin\":\"***\"}}");
  EXPECT_EQ(subject.bad[0].status.message().find("swordfish"), absl::string_view::npos);
}

TEST(InferenceTest, TypesFollowTheValues) {
  struct Case {
    Cells values;
    DataType type;
    bool dates = false;
  };
  const Case cases[] = {
      {{1, 2}, DataType::kLong},
      {{1, 1.5}, DataType::kDouble},
      {{(int64_t{1} << 53) + 1, 1.5}, DataType::kDecimal},
      {{1, Decimal("99999999999999999999")}, DataType::kDecimal},
      {{1.5, Decimal("0.1")}, DataType::kDecimal},
      {{HUGE_VAL, Decimal("0.1")}, DataType::kString},
      {{1, "x"}, DataType::kString},
      {{Flag(true), 1}, DataType::kString},
      {{Json("{}"), nullptr}, DataType::kJson},
      {{Json("{}"), "x"}, DataType::kString},
      {{nullptr, nullptr}, DataType::kUndeclared},
      {{"2024-01-15", "2024-01-16"}, DataType::kString},
      {{"2024-01-15", "2024-01-16"}, DataType::kNaiveDate, true},
      {{"2024-01-15T00:00:00Z", nullptr}, DataType::kUtcDatetime, true},
      {{"2024-01-15T00:00:00", nullptr}, DataType::kNaiveDatetime, true},
      {{"2024-01-15", "soon"}, DataType::kString, true},
  };
  for (const Case& c : cases) {
    Subject subject(Table("t", {{"id", DataType::kLong, true}, {"v"}}), {}, c.dates);
    Rows rows(0, 2);
    for (size_t i = 0; i < c.values.size(); ++i) {
      rows.Upsert({static_cast<int64_t>(i), c.values[i]});
    }
    const ChangeBatch batch = subject.Run(std::move(rows));
    EXPECT_EQ(subject.target.target().columns[1].type.type, c.type)
        << DataTypeName(subject.target.target().columns[1].type.type) << " and not "
        << DataTypeName(c.type);
    EXPECT_EQ(batch.row_count, c.values.size());
    for (size_t i = 0; i < batch.row_count; ++i) {
      const Value& value = batch.row(i)[1];
      EXPECT_TRUE(value.is_null() || value.kind == StoredKind(c.type)) << Show(value);
    }
  }
}

TEST(InferenceTest, DeclaredColumnsAskForNothing) {
  Subject subject(Table("t", {{"id", DataType::kLong, true}, {"v", DataType::kString}}));
  const ChangeBatch batch = Rows(0, 2).Upsert({1, 1.5}).Take();
  EXPECT_THAT(subject.conformer.Infer(batch), IsEmpty());
}

TEST(KeylessTest, IdDependsOnValuesOnly) {
  const auto id = [](std::vector<ColumnSpec> columns, const Cells& cells) {
    Subject subject(Table("t", std::move(columns)));
    const uint32_t width = static_cast<uint32_t>(cells.size());
    const ChangeBatch batch = subject.Run(Rows(0, width).Upsert(cells));
    return std::string(batch.row(0)[0].view());
  };
  const std::string base = id({{"a"}, {"b"}}, {5, "x"});
  EXPECT_EQ(base.size(), 32U);
  EXPECT_EQ(id({{"b"}, {"a"}}, {"x", 5}), base) << "order of columns";
  EXPECT_EQ(id({{"a"}, {"b"}}, {"5", "x"}), base) << "type";
  EXPECT_EQ(id({{"a"}, {"b"}}, {5.0, "x"}), base) << "type";
  EXPECT_EQ(id({{"a"}, {"b"}}, {Decimal("5.00"), "x"}), base) << "trailing zeros";
  EXPECT_EQ(id({{"a"}, {"b"}, {"c"}}, {5, "x", nullptr}), base) << "a new column of NULLs";
  EXPECT_NE(id({{"a"}, {"b"}}, {6, "x"}), base);
  EXPECT_NE(id({{"a"}, {"c"}}, {5, "x"}), base) << "name of the column";
  EXPECT_NE(id({{"a"}, {"b"}}, {"x", 5}), base);
  EXPECT_NE(id({{"a"}, {"b"}}, {"007", "x"}), id({{"a"}, {"b"}}, {"7", "x"})) << "text is text";
}

TEST(KeylessTest, AnUpdateTakesWhatItDoesNotGiveFromItsOldRow) {
  Subject subject(Table("t", {{"a"}, {"b"}}));
  const ChangeBatch batch =
      subject.Run(Rows(0, 2).Update({Unchanged(), 1}).Before({"text", 0}).Upsert({5, 5}));
  ASSERT_EQ(batch.row_count, 2U);
  EXPECT_EQ(Show(batch.row(0)[1]), "STRING text");
  EXPECT_EQ(Show(batch.row(0)[2]), "INT 1");
  EXPECT_EQ(Show(batch.row(1)[1]), "STRING 5") << "the column is wide enough for both";
}

TEST(KeylessTest, UpdatesAndDeletesFindTheirRowByItsOldValues) {
  Subject subject(Table("t", {{"a", DataType::kLong}, {"b", DataType::kString}}));
  const ChangeBatch batch = subject.Run(Rows(0, 2)
                                            .Upsert({1, "x"})
                                            .Update({Unchanged(), "y"})
                                            .Before({1, "x"})
                                            .Delete({})
                                            .Before({1, "y"})
                                            .Upsert({1, "y"})
                                            .Update({1, "z"})
                                            .Delete({}));
  ASSERT_EQ(batch.row_count, 4U);
  const std::string x(batch.row(0)[0].view());
  const std::string y(batch.row(3)[0].view());
  EXPECT_THAT(ShowRow(batch, 1), ElementsAre("STRING " + y, "INT 1", "STRING y"));
  ASSERT_THAT(batch.before_rows, ElementsAre(1U));
  EXPECT_EQ(std::string(batch.before_row(0)[0].view()), x);
  EXPECT_THAT(ShowRow(batch, 2), ElementsAre("STRING " + y, "NULL", "NULL"));
  ASSERT_THAT(subject.bad, SizeIs(2));
  EXPECT_THAT(std::string(subject.bad[0].status.message()), HasSubstr("whole old row"));
}

}  // namespace
}  // namespace tidemark
