#include "state/state_diff.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace tidemark {
namespace {

// "+path:after", "-path:before" or "~path:before>after", each.
std::vector<std::string> Shown(const std::vector<StateChange>& changes) {
  std::vector<std::string> shown;
  for (const StateChange& change : changes) {
    switch (change.what) {
      case StateChange::What::kAdded:
        shown.push_back(absl::StrCat("+", change.path, ":", change.after));
        break;
      case StateChange::What::kRemoved:
        shown.push_back(absl::StrCat("-", change.path, ":", change.before));
        break;
      case StateChange::What::kChanged:
        shown.push_back(absl::StrCat("~", change.path, ":", change.before, ">", change.after));
        break;
    }
  }
  return shown;
}

struct Case {
  std::string before;
  std::string after;
  std::vector<std::string> changes;
};

void ExpectAll(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_EQ(one.changes, Shown(DiffBodies(one.before, one.after)))
        << one.before << " -> " << one.after;
  }
}

TEST(StateDiffTest, JsonIsComparedByNestedPath) {
  ExpectAll({
      {R"({"a":1})", R"({"a":1})", {}},
      {R"({"a":1})", R"({"a":2})", {"~$.a:1>2"}},
      {R"({"a":{"b":{"c":"x"}}})",
       R"({"a":{"b":{"c":"y","d":null}}})",
       {"~$.a.b.c:\"x\">\"y\"", "+$.a.b.d:null"}},
      {R"({"a":1,"b":[1]})", R"({"b":[1]})", {"-$.a:1"}},
      {R"({"a b":1})", R"({"a b":2})", {"~$[\"a b\"]:1>2"}},
      {R"({"a":[1,2]})", R"({"a":{"x":1}})", {"~$.a:[1,2]>{\"x\":1}"}},
  });
}

TEST(StateDiffTest, AnElementPutIntoAListIsOneAddition) {
  ExpectAll({
      {"[1,2,3]", "[1,9,2,3]", {"+$[1]:9"}},
      {"[1,2,3]", "[1,3]", {"-$[1]:2"}},
      {R"({"t":[{"id":1,"at":5},{"id":2,"at":6}]})",
       R"({"t":[{"id":1,"at":7},{"id":2,"at":6}]})",
       {"~$.t[0].at:5>7"}},
      {"[]", "[1,2]", {"+$[0]:1", "+$[1]:2"}},
  });
}

TEST(StateDiffTest, AnEmptyBodyIsAnEmptyObjectBesideOne) {
  ExpectAll({{"", R"({"a":1})", {"+$.a:1"}}, {R"({"a":1})", "", {"-$.a:1"}}, {"", "", {}}});
}

TEST(StateDiffTest, EqualJsonWithOtherBytesIsComparedAsText) {
  ExpectAll({
      {R"({"a":1})", R"({"a": 1})", {"~line 1:{\"a\":1}>{\"a\": 1}"}},
      // Both numbers are the same double.
      {"[18446744073709551617]",
       "[18446744073709551618]",
       {"~line 1:[18446744073709551617]>[18446744073709551618]"}},
  });
}

TEST(StateDiffTest, TextIsComparedByLine) {
  ExpectAll({
      {"100 0 0", "200 0 0", {"~line 1:100 0 0>200 0 0"}},
      {"a\nb\nc", "a\nx\nb\nc", {"+line 2:x"}},
      {"a\nb\nc\nd", "a\nc\nd\ne", {"-line 2:b", "+line 4:e"}},
      {"a\nb", "c\nd\ne", {"~line 1:a>c", "~line 2:b>d", "+line 3:e"}},
      {"", "a", {"~line 1:>a"}},
  });
}

TEST(StateDiffTest, OtherBytesAreComparedByRange) {
  const std::string bytes("\xff\x00\x01\x02", 4);
  std::string other = bytes;
  other[2] = '\x7f';
  ExpectAll({
      {bytes, other, {"~bytes 2..2:0x01>0x7f"}},
      {bytes, bytes + std::string(2, '\xaa'), {"+bytes 4..5:0xaaaa"}},
      {bytes, bytes.substr(0, 1), {"-bytes 1..3:0x000102"}},
  });
  const std::string many(1000, '\xfe');
  const std::vector<StateChange> changes = DiffBodies(many, "");
  ASSERT_EQ(1u, changes.size());
  EXPECT_NE(std::string::npos, changes[0].before.find("(1000 bytes)"));
}

TEST(StateDiffTest, HugeAndHostileBodiesEnd) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_FALSE(DiffBodies(deep, "[1]").empty());
  std::string old_lines, new_lines;
  for (int i = 0; i < 20'000; ++i) {
    absl::StrAppend(&old_lines, "old ", i, "\n");
    absl::StrAppend(&new_lines, "new ", i, "\n");
  }
  EXPECT_EQ(20'000u, DiffBodies(old_lines, new_lines).size());
}

TEST(StateDiffTest, CursorFormatAndWatermarkComeFirst) {
  StateVersion before, after;
  before.cursor = "100";
  after.cursor = "200";
  after.format = 2;
  after.watermark_us = 0;
  before.body = R"({"a":1})";
  after.body = R"({"a":2})";
  EXPECT_EQ((std::vector<std::string>{"~cursor:100>200", "~format:0>2",
                                      "+watermark:1970-01-01T00:00:00.000000Z", "~$.a:1>2"}),
            Shown(DiffVersions(before, after)));
}

}  // namespace
}  // namespace tidemark
