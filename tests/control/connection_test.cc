// Connection files: findings with line, column and the nearest name; references; what they mean.
#include "control/connection.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "control/exit_code.h"
#include "control/references.h"
#include "control/yaml_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tidemark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kStart[] =
    "sync:\n  source: {connector: hello}\n  destination: {connection: w.db}\n";

Environment NoVariables() {
  return [](const std::string&) { return std::nullopt; };
}

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<Connection> loaded =
      ParseConnection("c.yaml", "/folder", text, NoVariables());
  if (loaded.ok()) return "loaded";
  EXPECT_TRUE(IsUsage(loaded.status()));
  return std::string(loaded.status().message());
}

struct ErrorCase {
  const char* name;
  std::string text;
  std::string error;
};

TEST(ConnectionTest, FindingsNamePlaceKeyAndNearest) {
  const ErrorCase kCases[] = {
      {"misspelt key", absl::StrCat(kStart, "  batchsize: 5\n"),
       "c.yaml:4:3: sync.batchsize: unknown key \"batchsize\"; did you mean \"batch_size\"?"},
      {"key of another section", absl::StrCat(kStart, "isolation: in_process\n"),
       "c.yaml:4:1: isolation: unknown key \"isolation\"; did you mean sync.isolation?"},
      {"wrong number", absl::StrCat(kStart, "  batch_size: many\n"),
       "c.yaml:4:15: sync.batch_size: \"many\" is not allowed; expected integer from 1 to 65536"},
      {"number out of range", absl::StrCat(kStart, "  batch_size: 0\n"),
       "c.yaml:4:15: sync.batch_size: \"0\" is not allowed; expected integer from 1 to 65536"},
      {"wrong choice", absl::StrCat(kStart, "  on_error: ignore\n"),
       "c.yaml:4:13: sync.on_error: \"ignore\" is not allowed; expected one of continue, stop"},
      {"wrong duration", absl::StrCat(kStart, "  stall_timeout: soon\n"),
       "c.yaml:4:18: sync.stall_timeout: \"soon\" is not allowed; expected duration (\"5 "
       "minutes\", \"2h\", \"PT30M\")"},
      {"both buffers",
       absl::StrCat(kStart, "cdc:\n  timestamp:\n    buffer_hours: 2\n    tolerance_window: 2h\n"),
       "c.yaml:6:19: cdc.timestamp.buffer_hours: line 6 (buffer_hours) and line 7 "
       "(tolerance_window) say the same thing: keep one"},
      {"feature that is not built", absl::StrCat(kStart, "  cdc_method: changelog\n"),
       "c.yaml:4:15: sync.cdc_method: changelog is not built yet"},
      {"another destination",
       "sync:\n  source: {connector: hello}\n  destination: {connection: \"mysql://h/d\"}\n",
       "c.yaml:3:29: sync.destination.type: mysql is not built yet"},
      {"no source", "sync:\n  destination: {connection: w.db}\n",
       "c.yaml:1:1: sync.source: name the connector (connector: ID) or a type (type: api)"},
      {"no destination", "sync:\n  source: {connector: hello}\n",
       "c.yaml:1:1: sync.destination.connection: name the database file (connection: "
       "warehouse.db)"},
      {"key given twice", absl::StrCat(kStart, "sync: {}\n"),
       "c.yaml:4:1: key \"sync\" is given twice"},
      {"bad name", absl::StrCat(kStart, "name: \"a b\"\n"),
       "c.yaml:4:7: name: expected letters, digits, \"_\", \"-\" and \".\""},
      {"name that is a place", absl::StrCat(kStart, "name: \"..\"\n"),
       "c.yaml:4:7: name: \".\" and \"..\" are places in a path; choose another name"},
      {"wrong type of a column",
       "sync:\n  source:\n    connector: hello\n    tables:\n      - t: {columns: {type: {a: "
       "NUMBER}}}\n  destination: {connection: w.db}\n",
       "c.yaml:5:33: sync.source.tables.t.columns.type.a: \"NUMBER\" is no type; expected LONG, "
       "DECIMAL(12,2), UTC_DATETIME, ..."},
      {"empty file", "", "c.yaml:0:0: the file must be a map with the key sync"},
  };
  for (const ErrorCase& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(ErrorOf(c.text), c.error);
  }
}

TEST(ConnectionTest, NoNameIsAStepOfAPath) {
  for (const char* step : {".", ".."}) EXPECT_FALSE(IsConnectionName(step)) << step;
  for (const char* name : {"...", ".a", "a..", "a.b"}) EXPECT_TRUE(IsConnectionName(name)) << name;
  EXPECT_EQ(DefaultConnectionName("/etc/..yaml"), "_");
  EXPECT_EQ(DefaultConnectionName("...yml"), "__");
  EXPECT_EQ(DefaultConnectionName("/etc/orders.yaml"), "orders");
}

TEST(ConnectionTest, EveryFindingIsToldAtOnceInTheOrderOfTheFile) {
  const std::string error =
      ErrorOf(absl::StrCat(kStart, "  nonsense: 1\n  batch_size: x\nother: 2\n"));
  EXPECT_THAT(error, HasSubstr("c.yaml:4:3"));
  EXPECT_LT(error.find("c.yaml:4:3"), error.find("c.yaml:5:15"));
  EXPECT_LT(error.find("c.yaml:5:15"), error.find("c.yaml:6:1"));
}

TEST(ConnectionTest, ReferencesAreResolvedAndUnsetOnesNamed) {
  const Environment environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "FILE_NAME") return "a.db";
    if (name == "EMPTY") return "";
    if (name == "API_TOKEN") return "s3cret-token";
    return std::nullopt;
  };
  const auto load = [&environment](const std::string& config) {
    return ParseConnection("c.yaml", "/f",
                           absl::StrCat("sync:\n  source: {connector: hello, config: {o: ", config,
                                        "}}\n  destination: {connection: \"${env:FILE_NAME}\"}\n"),
                           environment);
  };
  struct Case {
    std::string text;
    std::string value;
  };
  for (const Case& c : std::vector<Case>{{"\"${FILE_NAME}\"", "a.db"},
                                         {"\"x${env:FILE_NAME}y\"", "xa.dby"},
                                         {"\"${NONE:-other}\"", "other"},
                                         {"\"${EMPTY:-other}\"", "other"},
                                         {"\"${NONE:-}\"", ""},
                                         {"\"$$HOME costs 5$\"", "$HOME costs 5$"}}) {
    SCOPED_TRACE(c.text);
    const absl::StatusOr<Connection> loaded = load(c.text);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->source.config.Find("o")->text, c.value);
    EXPECT_EQ(loaded->destination.path, "/f/a.db");
  }
  EXPECT_THAT(std::string(load("\"${MISSING}\"").status().message()),
              HasSubstr("c.yaml: line 2: the variable MISSING is not set"));
  EXPECT_THAT(std::string(load("\"${\"").status().message()), HasSubstr("line 2"));
  EXPECT_THAT(std::string(load("\"${file:/none/such}\"").status().message()),
              HasSubstr("line 2: /none/such"));
  EXPECT_THAT(load("\"${API_TOKEN}\"")->secrets, ElementsAre("s3cret-token"));
}

TEST(ConnectionTest, SecretsOfAServerAreResolvedAndWhatIsNotThereIsRefusedByName) {
  const std::string text =
      "sync:\n  source: {connector: hello, connection: \"u:${secret:db}@h\"}\n"
      "  destination: {connection: w.db}\n";
  ReferenceSources sources;
  sources.secret = [](absl::string_view name) -> absl::StatusOr<std::string> {
    if (name == "db") return "canary-of-the-store";
    return absl::NotFoundError(absl::StrCat("there is no secret ", name));
  };
  const absl::StatusOr<Connection> loaded = ParseConnection("c.yaml", "/f", text, sources);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->source.connection->text, "u:canary-of-the-store@h");
  EXPECT_THAT(loaded->secrets, ElementsAre("canary-of-the-store"));
  struct Case {
    const char* value;
    const char* error;
  };
  for (const Case& c : std::vector<Case>{
           {"${secret:none}", "c.yaml: line 4: there is no secret none"},
           {"${HOME}", "line 4: ${HOME} may not be used here"},
           {"${env:HOME}", "line 4: ${env:HOME} may not be used here"},
           {"${NONE:-x}", "line 4: ${NONE:-x} may not be used here"},
           {"${file:/etc/hostname}", "line 4: ${file:/etc/hostname} may not be used here"},
           {"${secret:db}", "c.yaml:4:15: sync.batch_size: \"***\" is not allowed"}}) {
    sources.files = false;
    const absl::Status status =
        ParseConnection("c.yaml", "/f", absl::StrCat(text, "  batch_size: \"", c.value, "\"\n"),
                        sources)
            .status();
    EXPECT_TRUE(IsUsage(status));
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.error));
    EXPECT_THAT(std::string(status.message()), testing::Not(HasSubstr("canary")));
  }
  EXPECT_THAT(ErrorOf(text), HasSubstr("line 2: ${secret:db} is kept by a server"));
}

TEST(ConnectionTest, TheScheduleIsReadByItsOwnParserAndItsMistakesArePlaced) {
  for (const auto& [keys, error] : std::vector<std::pair<std::string, std::string>>{
           {"frequency: often", "c.yaml:4:14: sync.frequency: \"often\" is no schedule"},
           {"frequency: every now", "sync.frequency: \"every now\" is no interval"},
           {"frequency: \"61 * * * *\"", "sync.frequency: cron: minute \"61\" is not in 0-59"},
           {"timezone: Mars", "c.yaml:4:13: sync.timezone: \"Mars\" is no time zone"},
           {"timezone: /etc/passwd", "is no time zone"},
           {"jitter: 2 days", "c.yaml:4:11: sync.jitter: expected at most 24 hours"},
           {"jitter: 0 s", "sync.jitter: expected a positive duration"}}) {
    EXPECT_THAT(ErrorOf(absl::StrCat(kStart, "  ", keys, "\n")), HasSubstr(error)) << keys;
  }
  const absl::StatusOr<Connection> loaded = ParseConnection(
      "c.yaml", "/f",
      absl::StrCat("priority: 3\n", kStart,
                   "  frequency: daily\n  timezone: Europe/Berlin\n  jitter: 5 minutes\n"),
      NoVariables());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->priority, 3u);
  EXPECT_EQ(loaded->schedule.text(), "daily");
  const absl::Time midnight = absl::FromUnixSeconds(1'767'222'000);  // 2026-01-01 in Berlin
  const absl::Duration part = loaded->schedule.Next(midnight - absl::Hours(1)) - midnight;
  EXPECT_GE(part, absl::ZeroDuration());
  EXPECT_LT(part, absl::Minutes(5));
}

TEST(ConnectionTest, BytesThatAreNoTextAndBombsOfAliasesAreRefused) {
  EXPECT_EQ(ErrorOf(std::string("a: 1\nb: \0\n", 10)),
            "c.yaml:2:1: this is no text in UTF-8; save the file as UTF-8");
  EXPECT_THAT(ErrorOf("a: \xff\n"), HasSubstr("c.yaml:1:1: this is no text"));
  EXPECT_THAT(ErrorOf(std::string("\xff\xfe"
                                  "a\0:\0",
                                  6)),
              HasSubstr("this is no text"));
  std::string large = absl::StrCat("a: &a ", std::string(500'000, 'x'), "\nb:\n");
  for (int i = 0; i < 100; ++i) absl::StrAppend(&large, "- *a\n");
  EXPECT_THAT(ErrorOf(large), HasSubstr("too much text"));
  EXPECT_THAT(ErrorOf("a: &a [*a, *a, *a]\n"), HasSubstr("c.yaml:1:"));
}

TEST(ConnectionTest, DotEnvFilesAreRead) {
  const auto values = ParseDotEnv(".env", "# comment\nexport A=1\nB = no\nC='x y' \nD=a # b\n");
  EXPECT_FALSE(values.ok());
  EXPECT_THAT(std::string(values.status().message()), HasSubstr(".env:3"));
  const auto good = ParseDotEnv(".env", "# comment\nexport A=1\nC='x # y' \nD=a # b\nE=\"\"\n");
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(good->at("A"), "1");
  EXPECT_EQ(good->at("C"), "x # y");
  EXPECT_EQ(good->at("D"), "a");
  EXPECT_EQ(good->at("E"), "");
}

TEST(ConnectionTest, TablesAreNamesGlobsOrMaps) {
  const absl::StatusOr<Connection> loaded = ParseConnection("c.yaml", "/f", R"yaml(
sync:
  source:
    connector: hello
    tables:
      - orders
      - "app.user": {primary_key: id, deletes: hard, stale_guard: off}
      - "log*":
          on_error: stop
          columns: {exclude: [ssn], rename: {a: b}, type: {p: "DECIMAL(12,2)"}}
  destination: {connection: "sqlite:///data/w.db", deletes: soft}
)yaml",
                                                            NoVariables());
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const std::vector<TableRule>& rules = loaded->options.tables;
  ASSERT_EQ(rules.size(), 3u);
  EXPECT_EQ(rules[0].pattern, "orders");
  EXPECT_EQ(rules[0].deletes, DeleteMode::kSoft);
  EXPECT_EQ(rules[1].pattern, "app.user");
  EXPECT_THAT(*rules[1].primary_key, ElementsAre("id"));
  EXPECT_EQ(rules[1].deletes, DeleteMode::kHard);
  EXPECT_EQ(rules[1].stale_guard, StaleGuard::kOff);
  EXPECT_EQ(rules[2].on_error, OnError::kStop);
  EXPECT_EQ(rules[2].rename_columns.at("a"), "b");
  EXPECT_EQ(rules[2].column_types.at("p").precision, 12);
  EXPECT_EQ(rules[2].column_types.at("p").scale, 2);
  EXPECT_EQ(loaded->destination.path, "/data/w.db");
}

TEST(ConnectionTest, CheckpointingBecomesTheGroupsLimits) {
  struct Case {
    std::string text;
    uint64_t rows;
    absl::Duration age;
    bool when_idle;
  };
  const uint64_t no_limit = std::numeric_limits<uint64_t>::max();
  for (const Case& c :
       {Case{"frequency: every_batch, interval: 5", 10'000, absl::Milliseconds(200), true},
        Case{"frequency: every_n_records, interval: 5", 5, absl::InfiniteDuration(), false},
        Case{"frequency: time_based, interval: 2.5", no_limit, absl::Seconds(2.5), false}}) {
    SCOPED_TRACE(c.text);
    const absl::StatusOr<Connection> loaded = ParseConnection(
        "c.yaml", "/f", absl::StrCat(kStart, "state: {checkpointing: {", c.text, "}}\n"),
        NoVariables());
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->options.group.rows, c.rows);
    EXPECT_EQ(loaded->options.group.age, c.age);
    EXPECT_EQ(loaded->options.group.when_idle, c.when_idle);
  }
}

TEST(ConnectionTest, TheMethodIsChosenOrFollowsFromTheOnlySection) {
  struct Case {
    std::string text;
    std::string method;
    bool full;
    size_t values;
  };
  const std::string both = "cdc: {timestamp: {timezone: UTC}, version: {version_field: v}}\n";
  for (const Case& c : std::vector<Case>{
           {"", "auto", false, 0},
           {"  cdc_method: full\n", "full", true, 0},
           {"cdc: {timestamp: {updated_at_field: u}}\n", "timestamp", false, 1},
           {"cdc: {version: {version_field: v, sequence_field: s}}\n", "version", false, 2},
           {both, "auto", false, 0},
           {absl::StrCat("  cdc_method: version\n", both), "version", false, 1},
           {absl::StrCat("  cdc_method: timestamp\n", both), "timestamp", false, 1}}) {
    SCOPED_TRACE(c.text);
    const absl::StatusOr<Connection> loaded =
        ParseConnection("c.yaml", "/f", absl::StrCat(kStart, c.text), NoVariables());
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->source.method, c.method);
    EXPECT_EQ(loaded->options.full, c.full);
    EXPECT_EQ(loaded->source.method_values.size(), c.values);
  }
}

TEST(ConnectionTest, ATypeAndASchemePickTheConnector) {
  struct Case {
    std::string source;
    std::string connector;
    std::string connection;
    std::string problem;
  };
  for (const Case& c : std::vector<Case>{
           {"type: database, connection: app.db", "sqlite", "/f/app.db", ""},
           {"type: database, connection: \"sqlite:app.db\"", "sqlite", "/f/app.db", ""},
           {"type: database, connection: \"sqlite:///data/app.db\"", "sqlite", "/data/app.db", ""},
           {"connector: sqlite, connection: ../app.db", "sqlite", "/f/../app.db", ""},
           {"type: file, connection: \"in/*.csv\"", "files", "/f/in/*.csv", ""},
           {"type: file, connection: \"file:///in/a.csv\"", "files", "/in/a.csv", ""},
           {"type: api, connection: \"http://h\"", "rest", "http://h", ""},
           {"type: database, connection: \"postgresql://h/d\"", "", "",
            "database postgresql is not built yet"},
           {"type: file, connection: \"s3://b/a.csv\"", "", "", "file s3 is not built yet"}}) {
    SCOPED_TRACE(c.source);
    const absl::StatusOr<Connection> loaded = ParseConnection(
        "c.yaml", "/f",
        absl::StrCat("sync: {source: {", c.source, "}, destination: {connection: w.db}}"),
        NoVariables());
    if (!c.problem.empty()) {
      EXPECT_THAT(std::string(loaded.status().message()), HasSubstr(c.problem));
      continue;
    }
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->source.connector, c.connector);
    EXPECT_EQ(loaded->source.connection->text, c.connection);
  }
}

TEST(ConnectionTest, HostileYamlIsRefused) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "[";
  for (int i = 0; i < 100; ++i) deep += "]";
  EXPECT_THAT(std::string(ParseYaml("y", deep).status().message()), HasSubstr("deeply"));
  std::string laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 9; ++i) {
    absl::StrAppend(&laughs, "a", i, ": &a", i, " [");
    for (int j = 0; j < 10; ++j) absl::StrAppend(&laughs, j > 0 ? "," : "", "*a", i - 1);
    laughs += "]\n";
  }
  EXPECT_THAT(std::string(ParseYaml("y", laughs).status().message()), HasSubstr("too many"));
  EXPECT_THAT(std::string(ParseYaml("y", "a: [1\nb: 2").status().message()), HasSubstr("no YAML"));
  EXPECT_THAT(std::string(ParseYaml("y", "a: 1\n---\nb: 2\n").status().message()),
              HasSubstr("second document"));
}

}  // namespace
}  // namespace tidemark
