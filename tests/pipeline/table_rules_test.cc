// Which rule a table follows, and how it stands at the destination.
#include "pipeline/table_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/table_target.h"
#include "tests/pipeline/rows.h"

namespace tidemark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr DestinationLimits kLimits{100, 64, 1'000'000};

absl::StatusOr<TableTarget> Make(const TableSchema& table, const TableRule& rule = {},
                                 Naming naming = Naming::kSource,
                                 const TargetTable* stored = nullptr) {
  return TableTarget::Create(table, rule, naming, kLimits, stored);
}

std::vector<std::string> Names(const TargetTable& table) {
  std::vector<std::string> names;
  names.reserve(table.columns.size());
  for (const TargetColumn& column : table.columns) names.push_back(column.name);
  return names;
}

TEST(RuleOfTest, FirstMatchWinsByBothNames) {
  SyncOptions options;
  options.tables.resize(3);
  options.tables[0].pattern = "public.user";
  options.tables[1].pattern = "user";
  options.tables[2].pattern = "o*";
  TableSchema user = Table("user", {});
  user.schema = "public";
  EXPECT_EQ(RuleOf(options, user), &options.tables[0]);
  user.schema = "other";
  EXPECT_EQ(RuleOf(options, user), &options.tables[1]);
  EXPECT_EQ(RuleOf(options, Table("orders", {})), &options.tables[2]);
  EXPECT_EQ(RuleOf(options, Table("item", {})), &options.default_rule);
  options.only_listed_tables = true;
  EXPECT_EQ(RuleOf(options, Table("item", {})), nullptr);
}

TEST(RuleOfTest, NamesColumnsThatTheTableDoesNotHave) {
  TableRule rule;
  rule.pattern = "t";
  rule.exclude_columns = {"a", "gone"};
  rule.rename_columns = {{"lost", "x"}};
  EXPECT_THAT(UnknownColumns(Table("t", {{"a"}}), rule), ElementsAre("gone", "lost"));
  for (const char* many : {"*", "t?", ""}) {
    rule.pattern = many;
    EXPECT_THAT(UnknownColumns(Table("t", {{"a"}}), rule), ElementsAre()) << many;
  }
}

TEST(TableTargetTest, AppliesNamingRenamesExcludesTypesAndKey) {
  TableRule rule;
  rule.rename_columns = {{"eMail", "mail"}};
  rule.exclude_columns = {"secret"};
  rule.column_types["total"].type = DataType::kDecimal;
  rule.primary_key = {{"userId"}};
  auto made = Make(Table("UserAccount", {{"id", DataType::kLong, true},
                                         {"secret", DataType::kString},
                                         {"userId", DataType::kString},
                                         {"eMail", DataType::kString},
                                         {"total", DataType::kString}}),
                   rule, Naming::kSnakeCase);
  ASSERT_TRUE(made.ok()) << made.status();
  const TargetTable& target = made->target();
  EXPECT_EQ(target.name, "user_account");
  EXPECT_EQ(target.source_name, "UserAccount");
  EXPECT_THAT(Names(target), ElementsAre("id", "user_id", "mail", "total"));
  EXPECT_FALSE(target.columns[0].key);
  EXPECT_TRUE(target.columns[1].key);
  EXPECT_EQ(target.columns[3].type.type, DataType::kDecimal);
  EXPECT_THAT(made->places(), ElementsAre(0U, kDropped, 1U, 2U, 3U));
  EXPECT_FALSE(made->identity());
}

TEST(TableTargetTest, RefusesWhatCannotStandNamingTableAndColumn) {
  struct Case {
    TableSchema table;
    TableRule rule;
    Naming naming;
    const char* says;
  };
  TableRule excludes_key;
  excludes_key.exclude_columns = {"id"};
  TableRule renames;
  renames.rename_columns = {{"a", "b"}};
  std::vector<ColumnSpec> many(99, ColumnSpec{"c", DataType::kLong});
  for (size_t i = 0; i < many.size(); ++i) many[i].name += std::to_string(i);
  const std::string long_name(65, 'n');
  const std::vector<Case> cases = {
      {Table("t", {{"userId"}, {"user_id"}}),
       {},
       Naming::kSnakeCase,
       "the columns userId and user_id would both be called user_id"},
      {Table("t", {{"ID"}, {"id"}}), {}, Naming::kSource, "ID and id would both be called id"},
      {Table("t", {{"a"}, {"b"}}), renames, Naming::kSource, "a and b would both be called b"},
      {Table("t", {{"id", DataType::kLong, true}}), excludes_key, Naming::kSource,
       "the key column id cannot be excluded"},
      {Table("t", {{"_tidemark_synced"}}), {}, Naming::kSource, "reserved _tidemark_"},
      {Table("_TIDEMARK_state", {{"a"}}), {}, Naming::kSource, "reserved _tidemark_"},
      {Table("t", {{long_name}}), {}, Naming::kSource, "65 bytes; the destination holds 64"},
      {Table(long_name, {{"a"}}), {}, Naming::kSource, "65 bytes"},
      {Table("t", {{std::string("a\0b", 3)}}), {}, Naming::kSource, "NUL"},
      {Table("t", many), {}, Naming::kSource, "the destination holds 100: exclude some"},
  };
  for (const Case& c : cases) {
    auto made = TableTarget::Create(c.table, c.rule, c.naming, kLimits, nullptr);
    ASSERT_FALSE(made.ok()) << c.says;
    EXPECT_EQ(made.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(made.status().message()), HasSubstr(c.says));
    EXPECT_THAT(std::string(made.status().message()), HasSubstr("table " + c.table.name));
  }
}

TEST(TableTargetTest, TablesThatCollideAreBothNamed) {
  auto a = Make(Table("UserData", {{"id", DataType::kLong, true}}), {}, Naming::kSnakeCase);
  auto b = Make(Table("user_data", {{"id", DataType::kLong, true}}), {}, Naming::kSnakeCase);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_TRUE(CheckTableNames({&a->target()}).ok());
  EXPECT_THAT(std::string(CheckTableNames({&a->target(), &b->target()}).message()),
              HasSubstr("UserData and user_data would both be called user_data"));
}

TEST(TableTargetTest, KeyOfTheRuleMayShowUpLater) {
  TableRule rule;
  rule.primary_key = {{"code"}};
  auto made = Make(Table("t", {{"id", DataType::kLong}}), rule);
  ASSERT_TRUE(made.ok());
  EXPECT_FALSE(made->Creatable());
  EXPECT_THAT(std::string(made->CheckKey().message()), HasSubstr("primary_key names code"));
  ASSERT_TRUE(made->Grow(Table("t", {{"id", DataType::kLong}, {"code", DataType::kString}})).ok());
  EXPECT_TRUE(made->CheckKey().ok());
  EXPECT_TRUE(made->Creatable());
  EXPECT_FALSE(made->keyless());
  EXPECT_TRUE(made->target().columns[1].key);
}

TEST(TableTargetTest, TableWithoutKeyGetsAnIdColumnFirst) {
  auto made = Make(Table("log", {{"line", DataType::kString}}));
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(made->keyless());
  EXPECT_THAT(Names(made->target()), ElementsAre(kIdColumn, "line"));
  EXPECT_TRUE(made->target().columns[0].key);
  EXPECT_THAT(made->places(), ElementsAre(1U));
}

TEST(TableTargetTest, StoredColumnsKeepPlaceAndTypesOnlyWiden) {
  auto first =
      Make(Table("t", {{"id", DataType::kLong, true}, {"a"}, {"gone", DataType::kString}}));
  ASSERT_TRUE(first.ok());
  ColumnType text;
  text.type = DataType::kString;
  first->SetType(1, text);
  const TargetTable stored = first->target();
  auto second = Make(Table("t", {{"a", DataType::kLong}, {"id", DataType::kInt, true}, {"b"}}), {},
                     Naming::kSource, &stored);
  ASSERT_TRUE(second.ok());
  EXPECT_THAT(Names(second->target()), ElementsAre("id", "a", "gone", "b"));
  EXPECT_EQ(second->target().columns[0].type.type, DataType::kLong);
  EXPECT_EQ(second->target().columns[1].type.type, DataType::kString);
  EXPECT_THAT(second->places(), ElementsAre(1U, 0U, 3U));
}

TEST(TableTargetTest, GrowsByColumnsAndWiderTypesOnly) {
  auto made = Make(Table("t", {{"id", DataType::kLong, true}, {"n", DataType::kInt}}));
  ASSERT_TRUE(made.ok());
  ASSERT_TRUE(made->Grow(Table("t", {{"id", DataType::kLong, true},
                                     {"n", DataType::kLong},
                                     {"more", DataType::kString}}))
                  .ok());
  EXPECT_EQ(made->target().columns[1].type.type, DataType::kLong);
  EXPECT_TRUE(made->identity());
  const TableSchema bad[] = {
      Table("u", {{"id", DataType::kLong, true}, {"n"}, {"more"}}),
      Table("t", {{"id", DataType::kLong, true}}),
      Table("t", {{"id", DataType::kLong, true}, {"m"}, {"more"}}),
      Table("t", {{"id", DataType::kLong, true}, {"n", DataType::kLong, true}, {"more"}}),
      Table("t", {{"id", DataType::kLong, true}, {"n"}, {"more"}, {"k", DataType::kLong, true}}),
  };
  for (const TableSchema& table : bad) {
    EXPECT_EQ(made->Grow(table).code(), absl::StatusCode::kInternal);
  }
}

TEST(TableTargetTest, StaleGuardNeedsOneFixedWidthCursor) {
  struct Case {
    std::vector<ColumnSpec> columns;
    bool guarded;
    const char* warns;
  };
  const ColumnSpec id{"id", DataType::kLong, true};
  const Case cases[] = {
      {{id, {"at", DataType::kUtcDatetime, false, true}}, true, ""},
      {{id, {"v", DataType::kLong, false, true}}, true, ""},
      {{id, {"d", DataType::kNaiveDate, false, true}}, true, ""},
      {{id, {"at", DataType::kString, false, true}}, false, "cursor column at is STRING"},
      {{id, {"at", DataType::kUndeclared, false, true}}, false, ""},
      {{id, {"a", DataType::kLong, false, true}, {"b", DataType::kLong, false, true}},
       false,
       "more than one cursor"},
      {{id, {"at", DataType::kUtcDatetime}}, false, ""},
  };
  for (const Case& c : cases) {
    auto made = Make(Table("t", c.columns));
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(made->target().stale_guard.has_value(), c.guarded) << c.warns;
    EXPECT_THAT(made->guard_warning(), HasSubstr(c.warns));
    EXPECT_EQ(made->guard_warning().empty(), *c.warns == '\0');
  }
  TableRule off;
  off.stale_guard = StaleGuard::kOff;
  EXPECT_FALSE(Make(Table("t", cases[0].columns), off)->target().stale_guard.has_value());
}

TEST(TableTargetTest, StaleGuardEndsWhenAnInferredCursorBecomesText) {
  auto made =
      Make(Table("t", {{"id", DataType::kLong, true}, {"v", DataType::kUndeclared, false, true}}));
  ASSERT_TRUE(made.ok());
  ColumnType type;
  type.type = DataType::kLong;
  made->SetType(1, type);
  EXPECT_TRUE(made->target().stale_guard.has_value());
  type.type = DataType::kString;
  made->SetType(1, type);
  EXPECT_FALSE(made->target().stale_guard.has_value());
}

}  // namespace
}  // namespace tidemark
