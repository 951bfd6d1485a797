// What an apply changes, key by key.
#include "service/definition_text.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "service/connection_names.h"

namespace tidemark {
namespace {

TEST(DefinitionTextTest, ChangesAreThoseOfTheTable) {
  struct Case {
    const char* name;
    std::string before;
    std::string after;
    std::vector<std::string> changes;
  };
  for (const Case& c : std::vector<Case>{
           {"nothing", "a: 1\n", "a: 1\n", {}},
           {"layout and comments", "a: {b: 1}\n", "# why\na:\n  b: 1\n", {}},
           {"a value",
            "sync: {batch_size: 1}\n",
            "sync: {batch_size: 2}\n",
            {"sync.batch_size: 1 -> 2"}},
           {"from a default",
            "sync: {on_error: stop}\n",
            "sync: {on_error: stop, naming: source}\n",
            {"sync.naming: source (default) -> source"}},
           {"to a default",
            "sync: {batch_size: 5}\n",
            "sync: {}\n",
            {"sync.batch_size: 5 -> 1000 (default)"}},
           {"no default",
            "cdc: {timestamp: {start: 2024-01-01}}\n",
            "{}\n",
            {"cdc.timestamp.start: 2024-01-01 -> not set"}},
           {"a list",
            "sync: {source: {tables: [a, b]}}\n",
            "sync: {source: {tables: [a]}}\n",
            {"sync.source.tables: [\"a\",\"b\"] -> [\"a\"]"}},
           {"a map in a list", "l: [{a: 1}, x]\n", "l: [{a: 2}, x]\n", {"l[0].a: 1 -> 2"}},
           {"new as a whole", "", "name: x\n", {"name: the file's name (default) -> x"}},
           {"secrets",
            "sync: {source: {connection: s3cret, config: {api_key: a, k: 1}}}\n",
            "sync: {source: {connection: other, config: {api_key: b, k: 2}}}\n",
            {"sync.source.config.api_key: *** -> ***", "sync.source.config.k: 1 -> 2",
             "sync.source.connection: *** -> ***"}},
           {"secrets in maps",
            "sync: {source: {config: {headers: {Authorization: Bearer x}}}}\n",
            "sync: {source: {config: {headers: {Authorization: Bearer y}}}}\n",
            {"sync.source.config.headers.Authorization: *** -> ***"}},
           {"references are shown",
            "state: {storage: {connection: \"p://u:pw@h\"}}\n",
            "state: {storage: {connection: \"${secret:state}\"}}\n",
            {"state.storage.connection: *** -> ${secret:state}"}},
           {"half a reference is not",
            "{}\n",
            "state: {storage: {connection: \"${env:A}pw\"}}\n",
            {"state.storage.connection: not set -> ***"}},
           {"a password of a URL",
            "{a: 1}\n",
            "{a: 1, u: \"http://me:pw@h/\"}\n",
            {"u: not set -> http://me:***@h/"}},
           {"lines and long ones",
            "{a: 1}\n",
            absl::StrCat("{a: \"x\\ny\", b: ", std::string(200, 'z'), "}\n"),
            {"a: 1 -> \"x\\ny\"", absl::StrCat("b: not set -> ", std::string(120, 'z'), "...")}}}) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(DefinitionChanges(c.before, c.after), c.changes);
  }
}

TEST(DefinitionTextTest, ManyChangesAreCut) {
  std::string after = "x:\n";
  for (int i = 0; i < 300; ++i) absl::StrAppend(&after, "  k", i, ": 1\n");
  const std::vector<std::string> changes = DefinitionChanges("", after);
  ASSERT_EQ(changes.size(), 201u);
  EXPECT_EQ(changes.back(), "and 100 more");
}

TEST(ConnectionNamesTest, NamesAreThoseOfTheTable) {
  struct Case {
    const char* name;
    std::vector<NameRequest> files;
    std::vector<std::string> names;  // in their order; with "!" where there is a problem
  };
  const auto is_of_api = [](const std::string& name) { return name == "api"; };
  for (const Case& c : std::vector<Case>{
           {"all differ", {{"/a.yaml", "x", ""}, {"/b.yaml", "y", ""}}, {"x", "y"}},
           {"the first has it", {{"/a.yaml", "x", ""}, {"/b.yaml", "x", "x"}}, {"x", "b!"}},
           {"its own of before", {{"/a.yaml", "x", ""}, {"/b.yaml", "x", "y"}}, {"x", "y!"}},
           {"of before, taken",
            {{"/a.yaml", "x", ""}, {"/b.yaml", "x", "y"}, {"/c.yaml", "y", ""}},
            {"x", "b!", "y"}},
           {"the file's is taken too", {{"/a.yaml", "b", ""}, {"/b.yaml", "b", ""}}, {"b", "b-2!"}},
           {"of the API", {{"/a.yaml", "api", ""}}, {"a!"}},
           {"of the API twice",
            {{"/api.yaml", "api", ""}, {"/b.yaml", "api", ""}},
            {"api-2!", "b!"}},
           {"three",
            {{"/x/a.yaml", "a", ""}, {"/x/a.yml", "a", ""}, {"/x/b.yaml", "a", ""}},
            {"a", "a-2!", "b!"}}}) {
    SCOPED_TRACE(c.name);
    std::vector<std::string> names;
    for (const auto& [path, given] : GiveNames(c.files, is_of_api)) {
      names.push_back(given.name + (given.problem.empty() ? "" : "!"));
    }
    EXPECT_EQ(names, c.names);
  }
}

}  // namespace
}  // namespace tidemark
