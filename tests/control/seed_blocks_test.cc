// The documents' configuration blocks load as they are written, once a value is chosen from each
// alternative.
#include "tests/control/seed_blocks.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "control/connection.h"
#include "control/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tidemark {
namespace {

using ::testing::HasSubstr;

// What a user puts into the variables: a storage's connection suits its type.
Environment Variables(const std::string& storage = "redis://127.0.0.1") {
  return [storage](const std::string& name) -> std::optional<std::string> {
    if (name == "SOURCE_CONNECTION") return "http://127.0.0.1:5001";
    if (name == "DEST_CONNECTION") return "postgresql://user:pw@127.0.0.1/warehouse";
    if (name == "STATE_STORAGE_CONNECTION") return storage;
    return std::nullopt;
  };
}

std::string Blocks() { return absl::StrCat(kSyncBlock, kCdcBlock, kConflictBlock, kStateBlock); }

// Every line with alternatives: where it stands, and what can be chosen.
struct Choice {
  size_t line = 0;                  // from 0
  std::vector<std::string> values;  // quoted, as written
};

std::vector<Choice> Choices(const std::vector<std::string>& lines) {
  std::vector<Choice> choices;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (!absl::StrContains(lines[i], "\" | \"")) continue;
    const std::string value = lines[i].substr(lines[i].find(": ") + 2);
    choices.push_back({i, absl::StrSplit(value, " | ")});
  }
  return choices;
}

// The blocks with alternative number picks[i] chosen in choice i.
std::string Chosen(const std::vector<size_t>& picks) {
  std::vector<std::string> lines = absl::StrSplit(Blocks(), '\n');
  const std::vector<Choice> choices = Choices(lines);
  for (size_t i = 0; i < choices.size(); ++i) {
    std::string& line = lines[choices[i].line];
    line = absl::StrCat(line.substr(0, line.find(": ") + 2), choices[i].values[picks[i]]);
  }
  return absl::StrJoin(lines, "\n");
}

// The alternatives that this version refuses, by the key whose line offers them.
const std::map<std::string, std::string>& Refused() {
  static const auto* const kRefused = new std::map<std::string, std::string>{
      {"\"database\" | \"api\" | \"file\"", "\"database\" \"file\""},
      // The destination's connection string is PostgreSQL's: database is refused for that.
      {"\"database\" | \"api\" | \"data_warehouse\"", "\"database\" \"api\" \"data_warehouse\""},
      {"\"timestamp\" | \"version\" | \"changelog\" | \"trigger\" | \"polling\"", "\"changelog\""},
  };
  return *kRefused;
}

TEST(SeedBlocksTest, EveryAlternativeParsesAndTheRefusalNamesWhatIsNotBuiltAndNoMore) {
  const std::vector<std::string> lines = absl::StrSplit(Blocks(), '\n');
  const std::vector<Choice> choices = Choices(lines);
  ASSERT_EQ(choices.size(), 8u);
  // One file per alternative: all other choices stand at their first.
  for (size_t varied = 0; varied < choices.size(); ++varied) {
    for (size_t pick = 0; pick < choices[varied].values.size(); ++pick) {
      std::vector<size_t> picks(choices.size(), 0);
      picks[varied] = pick;
      const std::string text = Chosen(picks);
      SCOPED_TRACE(absl::StrCat(lines[choices[varied].line], " -> ", choices[varied].values[pick]));
      std::set<int> expected;
      for (size_t i = 0; i < choices.size(); ++i) {
        const auto refused = Refused().find(absl::StrJoin(choices[i].values, " | "));
        if (refused != Refused().end() &&
            absl::StrContains(refused->second, choices[i].values[picks[i]])) {
          expected.insert(static_cast<int>(choices[i].line) + 1);
        }
      }
      const bool folder = absl::StrContains(text.substr(text.find("  storage:")), "type: \"file\"");
      const absl::StatusOr<Connection> connection =
          ParseConnection("seed.yaml", ".", text, folder ? Variables("state") : Variables());
      ASSERT_FALSE(connection.ok());
      EXPECT_EQ(connection.status().code(), absl::StatusCode::kUnimplemented)
          << connection.status();
      EXPECT_TRUE(IsUsage(connection.status()));
      std::set<int> named;
      for (absl::string_view line :
           absl::StrSplit(std::string(connection.status().message()), '\n')) {
        EXPECT_THAT(std::string(line), HasSubstr("is not built yet"));
        const std::vector<std::string> parts = absl::StrSplit(line, ':');
        ASSERT_GT(parts.size(), 2u);
        named.insert(std::stoi(parts[1]));
      }
      EXPECT_EQ(named, expected) << connection.status().message();
    }
  }
}

TEST(SeedBlocksTest, TheRestLoadsWithRestSqliteAndDestinationPutIn) {
  const std::string text = absl::StrReplaceAll(
      Chosen(std::vector<size_t>(8, 0)),
      {{"  source:\n    type: \"database\"", "  source:\n    connector: rest"},
       {"    type: \"database\"\n    connection: \"${DEST_CONNECTION}\"",
        "    type: sqlite\n    connection: warehouse.db"},
       {"  storage:\n    type: \"database\"", "  storage:\n    type: destination"}});
  const absl::StatusOr<Connection> connection =
      ParseConnection("seed.yaml", "/folder", text, Variables());
  ASSERT_TRUE(connection.ok()) << connection.status();
  EXPECT_EQ(connection->name, "seed");
  EXPECT_EQ(connection->source.connector, "rest");
  EXPECT_EQ(connection->source.connection->text, "http://127.0.0.1:5001");
  EXPECT_EQ(connection->source.method, "timestamp");
  EXPECT_EQ(connection->destination.path, "/folder/warehouse.db");
  EXPECT_EQ(connection->options.page_rows, 1000u);
  ASSERT_EQ(connection->options.tables.size(), 3u);
  EXPECT_EQ(connection->options.tables[1].pattern, "orders");
  EXPECT_TRUE(connection->options.only_listed_tables);
  std::map<std::string, std::string> method;
  for (const auto& [name, value] : connection->source.method_values) method[name] = value.text;
  EXPECT_EQ(method,
            (std::map<std::string, std::string>{{"cdc.timestamp.updated_at_field", "updated_at"},
                                                {"cdc.timestamp.created_at_field", "created_at"},
                                                {"cdc.timestamp.timezone", "UTC"},
                                                {"cdc.timestamp.tolerance_window", "5 minutes"}}));
  EXPECT_EQ(connection->warnings,
            std::vector<std::string>{"conflict_resolution: not used, there is only one source"});
  EXPECT_EQ(connection->notices.size(), 2u) << absl::StrJoin(connection->notices, "\n");
}

TEST(SeedBlocksTest, APastedBlockSaysWhichLinesNeedAChoice) {
  const absl::StatusOr<Connection> connection =
      ParseConnection("seed.yaml", ".", kSyncBlock, Variables());
  ASSERT_FALSE(connection.ok());
  EXPECT_THAT(std::string(connection.status().message()),
              HasSubstr("line 3: choose one of database, api, file"));
  EXPECT_THAT(std::string(connection.status().message()),
              HasSubstr("line 13: choose one of realtime, hourly, daily"));
}

}  // namespace
}  // namespace tidemark
