#include "service/yaml_secrets.h"

#include <gmock/gmock.h>

#include <string>

namespace tidemark {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(YamlSecretsTest, HidesValuesWhoseKeyNamesASecretAndNothingElse) {
  const struct {
    const char* yaml;
    const char* shown;
  } kCases[] = {
      {"name: a # note\n", "name: a # note\n"},
      {"sync:\n  source:\n    connection: sqlite:x.db\n",
       "sync:\n  source:\n    connection: \"***\"\n"},
      {"sync: {destination: {connection: w.db}}\n", "sync: {destination: {connection: w.db}}\n"},
      {"sync:\n  source:\n    config: {token: abcd1, page: 3}\n",
       "sync:\n  source:\n    config: {token: \"***\", page: 3}\n"},
      {"sync:\n  source:\n    config:\n      password: 'it''s, this'  # old\n",
       "sync:\n  source:\n    config:\n      password: \"***\"  # old\n"},
      {"sync:\n  source:\n    config:\n      api_key: \"a\\\"b\"\n",
       "sync:\n  source:\n    config:\n      api_key: \"***\"\n"},
      {"sync:\n  source:\n    config:\n      api_key: ${env:API_KEY}\n",
       "sync:\n  source:\n    config:\n      api_key: ${env:API_KEY}\n"},
      {"sync:\n  source:\n    config:\n      tokens: [abcd1, abcd2]\n",
       "sync:\n  source:\n    config:\n      tokens: [\"***\", \"***\"]\n"},
      {"sync:\n  source:\n    tables: {user: {primary_key: [id]}}\n",
       "sync:\n  source:\n    tables: {user: {primary_key: [id]}}\n"},
      {"state:\n  storage: {type: redis, connection: redis://u:p@h}\n",
       "state:\n  storage: {type: redis, connection: \"***\"}\n"},
  };
  for (const auto& c : kCases) EXPECT_EQ(WithoutSecrets(c.yaml), c.shown) << c.yaml;
}

TEST(YamlSecretsTest, HidesTheLinesThatAValueGoesOnOver) {
  const std::string shown = WithoutSecrets(
      "sync:\n  source:\n    config:\n      private_key: |\n        canary one\n        canary "
      "two\n"
      "      page: 3\n");
  EXPECT_THAT(shown, Not(HasSubstr("canary")));
  EXPECT_THAT(shown, HasSubstr("      page: 3\n"));
}

TEST(YamlSecretsTest, ShowsNothingWhereSecretsCannotBeTold) {
  for (const char* yaml :
       {"name: [canary\n", "{a: b: c canary",
        // The same text under another key.
        "name: canary-1\nsync:\n  source:\n    config: {token: canary-1}\n",
        // A secret that is repeated by an alias.
        "sync:\n  source:\n    config: {token: &t canary-1, title: canary-1 again}\n"}) {
    EXPECT_THAT(WithoutSecrets(yaml), Not(HasSubstr("canary"))) << yaml;
  }
}

TEST(YamlSecretsTest, FollowsAliases) {
  EXPECT_THAT(WithoutSecrets("x: &t canary-1\nsync:\n  source:\n    config: {token: *t}\n"),
              Not(HasSubstr("canary")));
}

}  // namespace
}  // namespace tidemark
