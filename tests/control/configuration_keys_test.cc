// Walks the table of keys: every key's value is used, refused by name, or said to do nothing.
#include "control/configuration_keys.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "control/configuration_schema.h"
#include "control/connection.h"
#include "control/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tidemark {
namespace {

using ::testing::HasSubstr;

// A file that selects what makes the key count, and then the key itself.
std::string FileWith(const ConfigurationKey& key, const std::string& value) {
  std::vector<std::string> elements = absl::StrSplit(key.path, '.');
  std::string yaml = "{";
  // Flow style: {sync: {source: {..}, destination: {..}, <key>}, cdc: {..}}.
  std::string source = "connector: rest";
  std::string destination = "connection: w.db";
  std::string sync;
  std::string rest;
  const std::string path = key.path;
  const auto nested = [&value](const std::vector<std::string>& names) {
    std::string text = value;
    for (size_t i = names.size(); i-- > 0;) {
      if (absl::EndsWith(names[i], "[]")) {
        text = absl::StrCat("{", names[i].substr(0, names[i].size() - 2), ": [", text, "]}");
      } else {
        text = absl::StrCat("{", names[i] == "*" ? "t" : names[i], ": ", text, "}");
      }
    }
    return text.substr(1, text.size() - 2);
  };
  if (absl::StartsWith(path, "sync.source.")) {
    elements.erase(elements.begin(), elements.begin() + 2);
    source = path == "sync.source.connector" ? nested(elements)
             : path == "sync.source.type"    ? absl::StrCat("connection: x, ", nested(elements))
                                             : absl::StrCat(source, ", ", nested(elements));
  } else if (absl::StartsWith(path, "sync.destination.")) {
    elements.erase(elements.begin(), elements.begin() + 2);
    destination = path == "sync.destination.connection"
                      ? nested(elements)
                      : absl::StrCat(destination, ", ", nested(elements));
  } else if (absl::StartsWith(path, "sync.")) {
    elements.erase(elements.begin());
    sync = absl::StrCat(", ", nested(elements));
  } else {
    rest = absl::StrCat(", ", nested(elements));
  }
  for (const char* method : {"timestamp", "version"}) {
    if (absl::StartsWith(path, absl::StrCat("cdc.", method, "."))) {
      absl::StrAppend(&sync, ", cdc_method: ", method);
    }
  }
  if (path == "state.checkpointing.interval") {
    rest = ", state: {checkpointing: {frequency: every_n_records, interval: " + value + "}}";
  }
  if (path == "state.storage.type") {
    const bool redis = absl::StrContains(value, "redis");
    const bool server = redis || absl::StrContains(value, "postgres");
    rest = absl::StrCat(", state: {storage: {type: ", value, ", connection: \"",
                        redis    ? "redis://h"
                        : server ? "postgresql://h/d"
                                 : "state",
                        "\"}}");
  } else if (path == "state.storage.connection") {
    rest = absl::StrCat(", state: {storage: {type: sqlite, connection: ", value, "}}");
  } else if (absl::StartsWith(path, "state.storage.")) {
    absl::StrAppend(&rest.insert(rest.rfind("}}"), ", type: postgres, connection: \"host=h\""));
  } else if (path == "state.recovery.on_checkpoint_failure") {
    rest = absl::StrCat(", state: {storage: {type: file, connection: s}, recovery: ",
                        "{on_checkpoint_failure: ", value, "}}");
  }
  absl::StrAppend(&yaml, "sync: {source: {", source, "}, destination: {", destination, "}", sync,
                  "}", rest, "}");
  return yaml;
}

absl::StatusOr<Connection> Load(const std::string& text) {
  return ParseConnection("f.yaml", "/folder", text,
                         [](const std::string&) { return std::nullopt; });
}

std::string Meaning(const Connection& connection) {
  std::string text = ConnectionJson(connection).dump();
  if (connection.source.connection.has_value()) {
    absl::StrAppend(&text, connection.source.connection->text);
  }
  return text;
}

// The methods and storages of these sections are refused where they are selected; their keys are
// checked and unused.
bool OfAMethodThatIsRefused(absl::string_view path) {
  for (const char* prefix :
       {"cdc.changelog.", "cdc.polling.", "cdc.hybrid.", "conflict_resolution."}) {
    if (absl::StartsWith(path, prefix)) return true;
  }
  return false;
}

TEST(ConfigurationKeysTest, EveryValueIsUsedOrRefusedByName) {
  const absl::StatusOr<Connection> plain =
      Load("{sync: {source: {connector: rest}, destination: {connection: w.db}}}");
  ASSERT_TRUE(plain.ok()) << plain.status();
  for (const ConfigurationKey& key : ConfigurationKeys()) {
    if (key.type == KeyType::kSection || key.type == KeyType::kList) continue;
    const std::string path = key.path;
    std::string value = key.example;
    ASSERT_NE(value, "") << path << " has no example";
    if (value[0] != '[' && value[0] != '{') value = absl::StrCat("\"", value, "\"");
    const std::string text = FileWith(key, value);
    SCOPED_TRACE(absl::StrCat(path, " in ", text));
    const absl::StatusOr<Connection> loaded = Load(text);
    if (!loaded.ok()) {
      EXPECT_THAT(std::string(loaded.status().message()), HasSubstr("is not built yet"));
      const std::string last = path.substr(path.rfind('.') + 1);
      EXPECT_THAT(std::string(loaded.status().message()), HasSubstr(last));
      EXPECT_EQ(absl::StrContains(key.not_built, key.example) || key.not_built[0] == '*', true)
          << loaded.status();
      continue;
    }
    EXPECT_FALSE(absl::string_view(key.not_built) == "*");
    if (path == "version" || path == "sync.destination.schema" || OfAMethodThatIsRefused(path)) {
      continue;  // one value only, or belongs to something that is not selected
    }
    if (path == "sync.destination.type") continue;  // its built value is the default
    EXPECT_NE(Meaning(*loaded), Meaning(*plain)) << "the value changes nothing";
  }
}

TEST(ConfigurationKeysTest, EveryRefusedChoiceIsRefusedByNameAndEveryOtherLoads) {
  for (const ConfigurationKey& key : ConfigurationKeys()) {
    if (*key.choices == '\0' || absl::string_view(key.not_built) == "*") continue;
    const std::vector<std::string> refused = absl::StrSplit(key.not_built, '|', absl::SkipEmpty());
    for (const std::string& choice : std::vector<std::string>(absl::StrSplit(key.choices, '|'))) {
      SCOPED_TRACE(absl::StrCat(key.path, ": ", choice));
      std::string value = absl::StrCat("\"", choice, "\"");
      if (absl::string_view(key.path) == "conflict_resolution.strategies[].strategy") continue;
      const absl::StatusOr<Connection> loaded = Load(FileWith(key, value));
      const bool expected = std::find(refused.begin(), refused.end(), choice) == refused.end();
      EXPECT_EQ(loaded.ok(), expected) << loaded.status();
      if (!loaded.ok()) {
        EXPECT_THAT(std::string(loaded.status().message()),
                    HasSubstr(absl::StrCat(choice, " is not built yet")));
      }
    }
  }
}

TEST(ConfigurationKeysTest, EveryKeyIsExplainedAndStandsInTheSchema) {
  const nlohmann::ordered_json schema = ConfigurationSchema();
  const std::string text = schema.dump();
  EXPECT_THAT(text, testing::Not(HasSubstr("$tables")));
  std::set<std::string> seen;
  for (const ConfigurationKey& key : ConfigurationKeys()) {
    EXPECT_TRUE(seen.insert(key.path).second) << key.path << " stands twice in the table";
    const absl::StatusOr<std::string> explanation = ExplainKey(key.path);
    ASSERT_TRUE(explanation.ok()) << explanation.status();
    EXPECT_THAT(*explanation, HasSubstr(key.meaning));
    const std::vector<std::string> path = absl::StrSplit(key.path, '.');
    const std::string& name = path.back();
    EXPECT_THAT(text, HasSubstr(absl::StrCat("\"", name, "\":{"))) << key.path;
  }
  EXPECT_FALSE(schema["properties"]["sync"]["properties"]["source"]["properties"]["tables"]["anyOf"]
                     [2]["additionalProperties"]["properties"]["deletes"]
                         .is_null());
}

TEST(ConfigurationKeysTest, NearestNameIsNearOrNone) {
  const std::vector<std::string> names = {"batch_size", "source", "destination"};
  EXPECT_EQ(NearestName("batchsize", names), "batch_size");
  EXPECT_EQ(NearestName("sorce", names), "source");
  EXPECT_EQ(NearestName("Destination", names), "destination");
  EXPECT_EQ(NearestName("zzzz", names), "");
}

}  // namespace
}  // namespace tidemark
