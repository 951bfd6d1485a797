// Rows through the C++ layer: by name, by position, their kinds, stamps and before images.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/plugin_sdk/script.h"
#include "tidemark/utf8.h"

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tidemark::Sink;
using tidemark::TableRef;
using tidemark::UpdateRequest;
using tidemark::Value;
using tidemark_testing::RecordedChange;
using tidemark_testing::ToString;

std::vector<std::string> Rows(const ScriptRun& run) {
  std::vector<std::string> rows;
  for (const RecordedChange& c : const_cast<ScriptRun&>(run).sink().changes()) {
    rows.push_back(ToString(c.row));
  }
  return rows;
}

TEST(RowsByName, GoToTheirColumnsInAnyOrder) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("users", {{"id", 1}, {"name", "Ann"}, {"age", 30}}));
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("users", {{"age", 31}, {"id", 2}}));
    EXPECT_EQ(absl::OkStatus(), sink.Update("users", {{"id", 1}, {"age", 32}}));
    EXPECT_EQ(absl::OkStatus(), sink.Snapshot("users", {{"name", "Cy"}, {"id", 3}}));
    EXPECT_EQ(absl::OkStatus(), sink.Delete("users", {{"id", 2}}));
    return sink.Truncate("log");
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  EXPECT_THAT(Rows(run), ElementsAre("(1, \"Ann\", 30)", "(2, null, 31)", "(1, unchanged, 32)",
                                     "(3, \"Cy\", null)", "(2, null, null)", "()"));
  std::vector<int> ops;
  for (const RecordedChange& c : run.sink().changes()) ops.push_back(c.op);
  EXPECT_THAT(ops, ElementsAre(TIDEMARK_UPSERT, TIDEMARK_UPSERT, TIDEMARK_UPDATE, TIDEMARK_SNAPSHOT,
                               TIDEMARK_DELETE, TIDEMARK_TRUNCATE));
}

TEST(RowsByName, DefineUnknownTablesAndColumnsOnTheWay) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("users", {{"id", 1}, {"name", "Ann"}}));
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("users", {{"id", 2}, {"city", "Ulm"}}));
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("new", {{"a", 1.5}}));
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("new", {{"b", true}, {"a", nullptr}}));
    return absl::OkStatus();
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  EXPECT_THAT(Rows(run), ElementsAre("(1, \"Ann\", null)", "(1.5)", "(2, null, null, \"Ulm\")",
                                     "(null, true)"));
  ASSERT_EQ(run.sink().tables().size(), 3u);
  EXPECT_EQ(run.sink().tables()[0].columns[3].name, "city");
  EXPECT_EQ(run.sink().tables()[0].columns[3].type, uint32_t{TIDEMARK_TYPE_UNDECLARED});
  EXPECT_EQ(run.sink().tables()[2].name, "new");
  EXPECT_EQ(run.sink().tables()[2].columns.size(), 2u);
}

TEST(RowsByName, ColumnsKeepTheirPlacesInTheNextRunOfTheInstance) {
  int turn = 0;
  ScriptRun run([&](const UpdateRequest&, Sink& sink) {
    return ++turn == 1 ? sink.Upsert("users", {{"id", 1}, {"x", 10}, {"y", 20}})
                       : sink.Upsert("users", {{"id", 2}, {"y", 21}, {"x", 11}});
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  ASSERT_EQ(absl::OkStatus(), run.Update());
  EXPECT_THAT(Rows(run), ElementsAre("(1, null, null, 10, 20)", "(2, null, null, 11, 21)"));
}

TEST(RowsByName, RefuseAColumnGivenTwice) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    return sink.Upsert("users", {{"id", 1}, {"age", 1}, {"age", 2}});
  });
  EXPECT_THAT(std::string(run.Update().message()), HasSubstr("users gives column age twice"));
}

TEST(RowsByPosition, FillUpWithNullOrUnchanged) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    const TableRef users = *sink.Find("users");
    EXPECT_EQ(users.table().name(), "users");
    EXPECT_EQ(absl::OkStatus(), sink.Upsert(users, {1, "Ann"}));
    EXPECT_EQ(absl::OkStatus(), sink.Update(users, {1, Value::Unchanged()}));
    EXPECT_EQ(absl::OkStatus(), sink.Snapshot(users, {2, "Bo", 3}));
    EXPECT_EQ(absl::OkStatus(), sink.Delete(users, {1}));
    return sink.Truncate(users);
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  EXPECT_THAT(Rows(run), ElementsAre("(1, \"Ann\", null)", "(1, unchanged, unchanged)",
                                     "(2, \"Bo\", 3)", "(1, null, null)", "()"));
}

TEST(RowsByPosition, RefuseMoreValuesThanColumns) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    return sink.Upsert(*sink.Find("log"), {"line", "more"});
  });
  const absl::Status status = run.Update();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_EQ(status.message(), "a row of table log has 2 values, the table has 1 columns");
}

TEST(Rows, KeepEveryKindOfValue) {
  const std::string owned = "owned";
  const std::string_view std_view = "std view";
  ScriptRun run([&](const UpdateRequest&, Sink& sink) {
    for (const Value& v : std::vector<Value>{
             nullptr,
             Value(),
             true,
             int16_t{-1},
             uint32_t{4'000'000'000},
             int64_t{1} << 62,
             0.5f,
             2.5,
             "text",
             absl::string_view("view"),
             owned,
             std_view,
             Value::Decimal("1.10"),
             Value::Bytes(absl::string_view("\0\xff", 2)),
             Value::Json("{\"a\": 1}"),
             Value::Date(absl::CivilDay(1970, 1, 31)),
             Value::Date(absl::CivilDay(1969, 12, 31)),
             Value::TimeOfDay(absl::Hours(24)),
             Value::Timestamp(absl::FromUnixSeconds(-1)),
             Value::Timestamp(absl::InfinitePast()),
             Value::NaiveTimestamp(absl::CivilSecond(1970, 1, 1, 0, 1, 0), absl::Microseconds(5)),
             ""}) {
      if (absl::Status s = sink.Upsert("values", {{"v", v}}); !s.ok()) return s;
    }
    return absl::OkStatus();
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  EXPECT_THAT(Rows(run),
              ElementsAre("(null)", "(null)", "(true)", "(-1)", "(4000000000)",
                          "(4611686018427387904)", "(0.5)", "(2.5)", "(\"text\")", "(\"view\")",
                          "(\"owned\")", "(\"std view\")", "(1.10)", "(x'00ff')", "({\"a\": 1})",
                          "(date:30)", "(date:-1)", "(time:86400000000)", "(timestamp:-1000000)",
                          "(timestamp:-9223372036854775808)", "(naive:60000005)", "(\"\")"));
}

TEST(Rows, TextIsCopiedAtTheCall) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    std::string text = "before";
    if (absl::Status s = sink.Upsert("log", {{"line", text}}); !s.ok()) return s;
    text = "after!";
    return sink.Emit();
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  EXPECT_THAT(Rows(run), ElementsAre("(\"before\")"));
}

TEST(Rows, CarryStampsAndBeforeImagesOnlyWhereGiven) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("users", {{"id", 1}}));
    EXPECT_EQ(absl::OkStatus(), sink.Update("users", {{"id", 2}},
                                            {.before = {{"id", 1}},
                                             .event_time = absl::FromUnixMicros(77),
                                             .sequence = 5,
                                             .subsequence = 6,
                                             .continue_on_error = true}));
    EXPECT_EQ(absl::OkStatus(), sink.Upsert("users", {{"id", 3}}));
    EXPECT_EQ(absl::OkStatus(), sink.Checkpoint("s"));
    const TableRef log = *sink.Find("log");
    EXPECT_EQ(absl::OkStatus(), sink.Update(log, {"new"}, {.before = {"old"}}));
    EXPECT_EQ(absl::OkStatus(), sink.Delete(log, {}, {.before = {"new"}}));
    return sink.Update(*sink.Find("users"), {5}, {.before = {4}});
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  const auto& changes = run.sink().changes();
  ASSERT_EQ(changes.size(), 6u);
  EXPECT_TRUE(changes[0].before.empty());
  EXPECT_EQ(changes[0].meta.event_time_us, TIDEMARK_NO_TIME);
  EXPECT_FALSE(changes[0].on_error_continue);
  EXPECT_EQ(ToString(changes[1].before), "(1, unchanged, unchanged)");
  EXPECT_EQ(changes[1].meta.event_time_us, 77);
  EXPECT_EQ(changes[1].meta.sequence, 5u);
  EXPECT_EQ(changes[1].meta.subsequence, 6u);
  EXPECT_TRUE(changes[1].on_error_continue);
  EXPECT_EQ(changes[2].meta.event_time_us, TIDEMARK_NO_TIME);
  EXPECT_EQ(changes[2].meta.sequence, 0u);
  EXPECT_EQ(ToString(changes[3].before), "(\"old\")");
  EXPECT_EQ(ToString(changes[4].before), "(\"new\")");
  EXPECT_EQ(ToString(changes[5].before), "(4, unchanged, unchanged)");
}

TEST(Rows, DefinedTablesKeepKnownColumnsInPlace) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) {
    tidemark::Table wider("users");
    wider.Column("name", tidemark::kUndeclared);
    wider.Column("email", tidemark::kString).Column("age", tidemark::kDecimal, {.precision = 5});
    const absl::StatusOr<TableRef> users = sink.Define(wider);
    EXPECT_EQ(absl::OkStatus(), users.status());
    EXPECT_EQ(users->table().columns()[1].type, uint32_t{tidemark::kString});
    EXPECT_EQ(absl::OkStatus(), sink.Upsert(*users, {1, "Ann", Value::Decimal("3"), "a@b"}));
    tidemark::Table other("users", "audit");
    other.Key("n", tidemark::kLong);
    EXPECT_EQ(absl::OkStatus(), sink.Upsert(*sink.Define(other), {9}));
    EXPECT_EQ(absl::OkStatus(), sink.Upsert(*sink.Find("users", "audit"), {10}));
    EXPECT_TRUE(absl::IsNotFound(sink.Find("nobody").status()));
    return absl::OkStatus();
  });
  ASSERT_EQ(absl::OkStatus(), run.Update());
  EXPECT_THAT(Rows(run), ElementsAre("(1, \"Ann\", 3, \"a@b\")", "(9)", "(10)"));
  EXPECT_EQ(run.sink().tables()[0].columns[2].type, uint32_t{TIDEMARK_TYPE_DECIMAL});
  EXPECT_EQ(run.sink().tables()[2].FullName(), "audit.users");
}

TEST(Utf8, IsToldFromWhatOnlyLooksLikeIt) {
  const std::string_view good[] = {"",
                                   "plain",
                                   std::string_view("\0", 1),
                                   "\x7f",
                                   "\xc2\x80",
                                   "\xdf\xbf",
                                   "\xe0\xa0\x80",
                                   "\xed\x9f\xbf",
                                   "\xee\x80\x80",
                                   "\xf0\x90\x80\x80",
                                   "\xf4\x8f\xbf\xbf"};
  for (const std::string_view text : good) {
    EXPECT_TRUE(tidemark::IsUtf8({text.data(), text.size()})) << text;
  }
  const struct {
    std::string_view text;
    const char* why;
  } bad[] = {{"\x80", "begins in the middle"},
             {"a\xc3", "ends in the middle"},
             {"\xe2\x82", "ends in the middle"},
             {"\xf0\x9f\x98", "ends in the middle"},
             {"\xc3(", "no continuation"},
             {"\xe2(\x82", "no continuation"},
             {"\xc0\xaf", "overlong"},
             {"\xc1\xbf", "overlong"},
             {"\xe0\x9f\xbf", "overlong"},
             {"\xf0\x8f\xbf\xbf", "overlong"},
             {"\xed\xa0\x80", "a surrogate"},
             {"\xed\xbf\xbf", "a surrogate"},
             {"\xf4\x90\x80\x80", "above U+10FFFF"},
             {"\xf5\x80\x80\x80", "above U+10FFFF"},
             {"\xff", "no byte of it"}};
  for (const auto& one : bad) {
    EXPECT_FALSE(tidemark::IsUtf8({one.text.data(), one.text.size()})) << one.why;
  }
}

}  // namespace
