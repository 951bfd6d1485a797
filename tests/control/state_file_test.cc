#include "control/state_file.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace tidemark {
namespace {

StateEntry Entry(const std::string& table, const std::string& body) {
  StateEntry entry;
  entry.table = table;
  entry.body = body;
  entry.format = 2;
  return entry;
}

TEST(StateFileTest, OneJsonObjectStandsAsItIs) {
  EXPECT_EQ(FormatStateFile({}), "{}\n");
  EXPECT_EQ(FormatStateFile({Entry("", "")}), "{}\n");
  EXPECT_EQ(FormatStateFile({Entry("", R"({"b":1, "a" : 2})")}), "{\"b\":1, \"a\" : 2}\n");
}

TEST(StateFileTest, EverythingComesBackByteForByte) {
  const std::vector<std::vector<StateEntry>> kCases = {
      {Entry("", R"({"last_timestamp": "2024-01-15T10:30:00Z"})")},
      {Entry("", "42")},
      {Entry("", std::string("\xff\x00\x01", 3))},
      {Entry("", "{\"tidemark_state\":true}")},
      {Entry("users", "{\"a\":1}"), Entry("orders", "7"), Entry("", "x \"y\"")},
  };
  for (const std::vector<StateEntry>& entries : kCases) {
    const std::string text = FormatStateFile(entries);
    const auto parsed = ParseStateFile("state.json", text);
    ASSERT_TRUE(parsed.ok()) << parsed.status() << text;
    ASSERT_EQ(parsed->size(), entries.size()) << text;
    for (size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ((*parsed)[i].body, entries[i].body) << text;
      EXPECT_EQ((*parsed)[i].table, entries[i].table);
    }
  }
}

TEST(StateFileTest, NothingAndAnEmptyObjectAreTheEmptyState) {
  for (const char* text : {"", "  \n", "{}", "{ }\n"}) {
    const auto parsed = ParseStateFile("state.json", text);
    ASSERT_TRUE(parsed.ok());
    ASSERT_EQ(parsed->size(), 1u);
    EXPECT_EQ((*parsed)[0].body, "") << text;
  }
}

TEST(StateFileTest, NonsenseIsRefusedWithTheFilesName) {
  for (const char* text :
       {"[", "[1]", "5", R"({"tidemark_state": 1})", R"({"tidemark_state": 1, "entries": [5]})",
        R"({"tidemark_state": 1, "entries": [{"body_base64": "?"}]})"}) {
    const auto parsed = ParseStateFile("state.json", text);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(parsed.status().message().find("state.json: "), 0u) << text;
  }
}

TEST(StateFileTest, BodiesAreComparedAsJsonWhereTheyAreJson) {
  EXPECT_TRUE(SameStateBody("{\"a\":1,\"b\":2}", "{ \"a\": 1, \"b\": 2 }"));
  EXPECT_TRUE(SameStateBody("", "{}"));
  EXPECT_FALSE(SameStateBody("{\"a\":1}", "{\"a\":2}"));
  EXPECT_FALSE(SameStateBody("x", "y"));
  EXPECT_TRUE(SameStateBody("x", "x"));
}

}  // namespace
}  // namespace tidemark
