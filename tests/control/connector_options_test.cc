// Declared options against given values: types, choices, defaults, secrets, reserved names.
#include "control/connector_options.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "control/exit_code.h"
#include "control/json_schema_check.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tidemark {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Option = ConnectorDescription::Option;

Option Declare(const std::string& name, DataType type) {
  Option option;
  option.name = name;
  option.type = type;
  return option;
}

SourceSettings Given(const std::string& json) {
  SourceSettings source;
  source.config = *ParseJsonText("configuration.json", json);
  source.method = "auto";
  return source;
}

absl::StatusOr<ConnectorSettings> Check(std::vector<Option> options, const SourceSettings& source) {
  ConnectorDescription description;
  description.id = "rest";
  description.options = std::move(options);
  return CheckConnectorSettings(description, source, "configuration.json");
}

std::string Error(const absl::StatusOr<ConnectorSettings>& settings) {
  EXPECT_FALSE(settings.ok());
  EXPECT_TRUE(IsUsage(settings.status()));
  return std::string(settings.status().message());
}

TEST(ConnectorOptionsTest, ValuesBecomeSettingsOfTheDeclaredTypes) {
  const std::vector<Option> options = {
      Declare("flag", DataType::kBoolean), Declare("count", DataType::kLong),
      Declare("share", DataType::kDouble), Declare("text", DataType::kString),
      Declare("list", DataType::kJson)};
  struct Case {
    const char* json;
    ValueKind kind;
    int64_t i64;
    double f64;
    std::string text;
  };
  const std::map<std::string, std::vector<Case>> cases = {
      {"flag",
       {{R"({"flag": true})", ValueKind::kBool, 1, 0, ""},
        {R"({"flag": "false"})", ValueKind::kBool, 0, 0, ""}}},
      {"count",
       {{R"({"count": -5})", ValueKind::kInt64, -5, 0, ""},
        {R"({"count": "12"})", ValueKind::kInt64, 12, 0, ""}}},
      {"share",
       {{R"({"share": 0.5})", ValueKind::kDouble, 0, 0.5, ""},
        {R"({"share": 2})", ValueKind::kDouble, 0, 2, ""}}},
      {"text",
       {{R"({"text": "007"})", ValueKind::kString, 0, 0, "007"},
        {R"({"text": 7})", ValueKind::kString, 0, 0, "7"}}},
      {"list",
       {{R"({"list": [1, "a"]})", ValueKind::kJson, 0, 0, R"([1,"a"])"},
        {R"({"list": "[1]"})", ValueKind::kJson, 0, 0, "[1]"}}},
  };
  for (const auto& [name, list] : cases) {
    for (const Case& c : list) {
      SCOPED_TRACE(c.json);
      const absl::StatusOr<ConnectorSettings> settings = Check(options, Given(c.json));
      ASSERT_TRUE(settings.ok()) << settings.status();
      ASSERT_EQ(settings->settings.size(), 1u);
      const Setting& setting = settings->settings[0];
      EXPECT_EQ(setting.name, name);
      EXPECT_EQ(setting.kind, c.kind);
      EXPECT_EQ(setting.i64, c.i64);
      EXPECT_EQ(setting.f64, c.f64);
      EXPECT_EQ(setting.text, c.text);
    }
  }
}

TEST(ConnectorOptionsTest, DefaultsAreFilledAndRequiredOptionsNamed) {
  Option limit = Declare("limit", DataType::kLong);
  limit.default_value = "10";
  Option url = Declare("base_url", DataType::kString);
  url.required = true;
  url.help = "where the API is";
  EXPECT_EQ(Error(Check({limit, url}, Given("{}"))),
            "configuration.json: connector rest needs the option base_url: where the API is");
  const auto settings = Check({limit, url}, Given(R"({"base_url": "http://x"})"));
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->settings[0].i64, 10);
}

TEST(ConnectorOptionsTest, WrongValuesAreNamedButSecretsNeverShown) {
  Option mode = Declare("mode", DataType::kString);
  mode.choices = {"full", "replay"};
  EXPECT_THAT(Error(Check({mode}, Given(R"({"mode": "repaly"})"))),
              HasSubstr("option mode: \"repaly\" is not allowed; expected one of full, replay "
                        "(did you mean replay?)"));
  EXPECT_THAT(Error(Check({mode}, Given(R"({"mod": "full"})"))),
              HasSubstr("connector rest has no option \"mod\"; did you mean \"mode\"?"));
  EXPECT_THAT(Error(Check({mode}, Given(R"({"mode": ["full"]})"))), HasSubstr("not a list"));
  Option pin = Declare("pin", DataType::kLong);
  pin.secret = true;
  const std::string error = Error(Check({pin}, Given(R"({"pin": "hunter2"})")));
  EXPECT_THAT(error, HasSubstr("option pin: the value is no LONG"));
  EXPECT_THAT(error, Not(HasSubstr("hunter2")));
}

TEST(ConnectorOptionsTest, SecretsAreCollectedAlsoInsideJson) {
  Option token = Declare("token", DataType::kString);
  token.secret = true;
  Option auth = Declare("auth", DataType::kJson);
  auth.json_schema =
      R"({"type": "object", "properties": {"user": {"type": "string"},
          "password": {"type": "string", "x-secret": true},
          "keys": {"type": "array", "items": {"x-secret": true}}}})";
  const auto settings = Check({token, auth}, Given(R"({"token": "t0ken", "auth": {"user": "me",
            "password": "pa55", "keys": ["k1", "k2"]}})"));
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_THAT(settings->secrets, ElementsAre("t0ken", "pa55", "k1", "k2"));
}

TEST(ConnectorOptionsTest, ReservedNamesAreFilledWhereDeclared) {
  ConfigNode value;
  value.kind = ConfigNode::Kind::kScalar;
  value.text = "updatedAt";
  value.line = 9;
  SourceSettings source = Given("{}");
  source.method_values.emplace_back("cdc.timestamp.updated_at_field", value);
  source.connection = value;
  source.connection->text = "http://host";
  const auto settings = Check({Declare("cdc.timestamp.updated_at_field", DataType::kString),
                               Declare("base_url", DataType::kString)},
                              source);
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->settings[0].text, "updatedAt");
  EXPECT_EQ(settings->settings[1].text, "http://host");
  source.connection.reset();
  source.method_values[0].first = "cdc.version.version_field";
  EXPECT_EQ(Error(Check({}, source)),
            "configuration.json:9:0: connector rest does not support cdc.version.version_field");
}

TEST(JsonSchemaCheckTest, FindsWrongTypesMissingAndUnknownMembers) {
  const auto schema = nlohmann::ordered_json::parse(R"({
      "type": "object", "required": ["path"], "additionalProperties": false,
      "properties": {"path": {"type": "string"}, "mode": {"enum": ["a", "b"]},
                     "list": {"type": "array", "items": {"type": "integer"}}}})");
  struct Case {
    const char* value;
    std::vector<std::string> problems;
  };
  for (const Case& c : std::vector<Case>{
           {R"({"path": "/x", "mode": "a", "list": [1, 2]})", {}},
           {R"([])", {"o: expected object, not array"}},
           {R"({})", {"o: \"path\" is missing"}},
           {R"({"path": 5})", {"o.path: expected string, not number"}},
           {R"({"path": "", "mode": "c"})", {"o.mode: expected one of a, b"}},
           {R"({"path": "", "pth": 1})", {"o: unknown key \"pth\"; did you mean \"path\"?"}},
           {R"({"path": "", "list": [1, "x"]})", {"o.list[1]: expected integer, not string"}}}) {
    SCOPED_TRACE(c.value);
    std::vector<std::string> problems;
    CheckJsonSchema(schema, nlohmann::ordered_json::parse(c.value), "o", &problems);
    EXPECT_EQ(problems, c.problems);
  }
}

}  // namespace
}  // namespace tidemark
