#include "control/change_text.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace tidemark {
namespace {

Column ColumnOf(const std::string& name, DataType type, bool sensitive = false) {
  Column column;
  column.name = name;
  column.type.type = type;
  column.type.declared = type != DataType::kUndeclared;
  column.sensitive = sensitive;
  return column;
}

TableSchema Table() {
  TableSchema table;
  table.name = "t";
  table.columns = {
      ColumnOf("id", DataType::kLong),        ColumnOf("price", DataType::kDecimal),
      ColumnOf("any", DataType::kUndeclared), ColumnOf("doc", DataType::kJson),
      ColumnOf("raw", DataType::kBinary),     ColumnOf("secret", DataType::kString, true)};
  return table;
}

// The one row's value of `column` after `value` stood in the text.
absl::StatusOr<std::string> Read(const std::string& column, const std::string& value) {
  absl::StatusOr<ChangeText> change =
      ParseChangeText("{\"op\":\"upsert\",\"values\":{\"" + column + "\":" + value + "}}");
  if (!change.ok()) return change.status();
  absl::StatusOr<ChangeBatch> batch = ChangeToBatch(*change, Table());
  if (!batch.ok()) return batch.status();
  const TableSchema table = Table();
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].name != column) continue;
    const Value& read = batch->values[i];
    std::string text = std::to_string(static_cast<int>(read.kind)) + ":";
    if (read.is_text()) return text + std::string(read.view());
    if (read.kind == ValueKind::kDouble) return text + std::to_string(read.f64);
    return text + std::to_string(read.i64);
  }
  return std::string();
}

TEST(ChangeTextTest, ValuesKeepEveryDigitAndByte) {
  const struct {
    const char* column;
    const char* value;
    std::string expected;  // kind:content
  } cases[] = {
      {"id", "-9223372036854775808", "3:-9223372036854775808"},
      {"any", "18446744073709551617", "5:18446744073709551617"},
      {"price", "1.10", "5:1.10"},
      {"price", "\"1.10\"", "6:1.10"},
      {"any", "1.5", "4:1.500000"},
      {"any", "1e3", "4:1000.000000"},
      {"any", "true", "2:1"},
      {"any", "null", "0:0"},
      {"any", R"("a \"quoted\" {brace], \u00e4")", "6:a \"quoted\" {brace], \xc3\xa4"},
      {"any", R"( [1, {"x": "]"}] )", R"(8:[1, {"x": "]"}])"},
      {"doc", R"({"n":1.10, "big":1e999})", R"(8:{"n":1.10, "big":1e999})"},
      {"doc", "\"text\"", "8:\"text\""},
      {"doc", "5", "8:5"},
      {"raw", "\"00ff\"", std::string("7:\0\xff", 4)},
      {"raw", "\"0x00ff\"", std::string("7:\0\xff", 4)},
      {"raw", "\"no hex\"", "6:no hex"},
      {"secret", "\"known\"", "6:known"},
  };
  for (const auto& one : cases) {
    const absl::StatusOr<std::string> read = Read(one.column, one.value);
    ASSERT_TRUE(read.ok()) << one.value << ": " << read.status();
    EXPECT_EQ(one.expected, *read) << one.column << " = " << one.value;
  }
}

TEST(ChangeTextTest, AHiddenValueAndAnUnknownColumnAreNamed) {
  EXPECT_NE(std::string::npos, Read("secret", "\"***\"").status().message().find("sensitive"));
  EXPECT_NE(std::string::npos, Read("other", "1").status().message().find("no column \"other\""));
}

TEST(ChangeTextTest, WhatIsNotGivenStaysUnchangedInAnUpdateOnly) {
  for (const auto& [op, kind] :
       {std::pair("upsert", ValueKind::kNull), std::pair("update", ValueKind::kUnchanged),
        std::pair("delete", ValueKind::kNull)}) {
    const auto change = ParseChangeText(std::string("{\"op\":\"") + op +
                                        "\",\"values\":{\"id\":1},\"before\":{\"id\":2}}");
    ASSERT_TRUE(change.ok()) << change.status();
    const auto batch = ChangeToBatch(*change, Table());
    ASSERT_TRUE(batch.ok()) << batch.status();
    EXPECT_EQ(kind, batch->values[1].kind) << op;
    EXPECT_TRUE(batch->on_error_continue(0));
    EXPECT_EQ(std::string(op) == "update" ? 1u : 0u, batch->before_rows.size());
    EXPECT_EQ("{\"id\":1}", KeyOf(*change, {"id"}));
    EXPECT_EQ("", KeyOf(*change, {"none"}));
  }
}

TEST(ChangeTextTest, EveryPrefixIsRefusedOrReadAndNeverReadPastItsEnd) {
  const std::string text =
      R"({"op":"update","values":{"id":1,"any":[{"a":"\\\""},2.5e1],"doc":null},)"
      R"("before":{"id":"\u0041"}})";
  EXPECT_TRUE(ParseChangeText(text).ok());
  for (size_t length = 0; length < text.size(); ++length) {
    EXPECT_FALSE(ParseChangeText(text.substr(0, length)).ok()) << length;
  }
}

}  // namespace
}  // namespace tidemark
