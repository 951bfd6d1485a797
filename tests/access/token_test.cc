#include "access/token.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tidemark {
namespace {

const std::string kId = "0aZ123456789";
const std::string kSecret(kTokenSecretLength, 'x');

TEST(TokenTest, HasItsFormAndNeverComesTwice) {
  std::set<std::string> ids;
  std::set<std::string> secrets;
  std::set<char> digits;
  for (int i = 0; i < 1000; ++i) {
    const TokenParts made = NewToken();
    EXPECT_EQ(made.Text().size(), 3 + kTokenIdLength + 1 + kTokenSecretLength);
    const std::optional<TokenParts> read = ParseToken(made.Text());
    ASSERT_TRUE(read.has_value()) << made.Text();
    EXPECT_EQ(read->id, made.id);
    EXPECT_EQ(read->secret, made.secret);
    ids.insert(made.id);
    secrets.insert(made.secret);
    digits.insert(made.secret.begin(), made.secret.end());
  }
  EXPECT_EQ(ids.size(), 1000);
  EXPECT_EQ(secrets.size(), 1000);
  EXPECT_EQ(digits.size(), 62);
}

TEST(TokenTest, OfAnotherFormIsNone) {
  const std::string right = "tm_" + kId + "_" + kSecret;
  ASSERT_TRUE(ParseToken(right).has_value());
  const std::string wrong[] = {
      "",
      "tm_",
      " " + right,
      right + "\n",
      right + "x",
      right.substr(0, right.size() - 1),
      "TM_" + kId + "_" + kSecret,
      "tm-" + kId + "_" + kSecret,
      "tm_" + kId + "-" + kSecret,
      "tm_" + kId + "x" + kSecret,
      "tm_" + kId.substr(1) + "__" + kSecret,
      "tm_0aZ12345678%_" + kSecret,
      "tm_" + kId + "_" + kSecret.substr(1) + "-",
      "tm_" + kId + "_" + kSecret.substr(1) + std::string(1, '\0'),
      std::string(right.size(), '\xff'),
  };
  for (const std::string& text : wrong) EXPECT_FALSE(ParseToken(text).has_value()) << text;
}

TEST(TokenTest, SecretsOfOneLengthDifferWhereverTheyDo) {
  const std::string secret = NewToken().secret;
  EXPECT_TRUE(SecretsEqual(secret, std::string(secret)));
  for (size_t i = 0; i < secret.size(); ++i) {
    std::string other = secret;
    other[i] = static_cast<char>(other[i] ^ 1);
    EXPECT_FALSE(SecretsEqual(secret, other)) << i;
  }
  EXPECT_FALSE(SecretsEqual(secret, secret.substr(1)));
  EXPECT_FALSE(SecretsEqual(secret, secret + "x"));
  EXPECT_FALSE(SecretsEqual(secret, ""));
  EXPECT_TRUE(SecretsEqual("", ""));
}

TEST(TokenTest, SecretIsHiddenInTexts) {
  const std::string token = "tm_" + kId + "_" + kSecret;
  const std::string hidden = "tm_" + kId + "_***";
  struct Case {
    std::string text;
    std::string shown;
  };
  const Case cases[] = {
      {"", ""},
      {"no token", "no token"},
      {token, hidden},
      {"a " + token + ", " + token + ".", "a " + hidden + ", " + hidden + "."},
      {"x" + token + "yz-", "x" + hidden + "-"},  // something was appended
      {token.substr(0, 40), hidden},              // it was cut off
      {"tm_" + token, "tm_" + hidden},
      {"tm_tm_tm_" + kSecret, "tm_tm_tm_" + kSecret},  // no id before it
      {"tm_" + kId, "tm_" + kId},
      {"tm_" + kId + "_", "tm_" + kId + "_***"},
  };
  for (const Case& c : cases) EXPECT_EQ(HideTokens(c.text), c.shown) << c.text;
}

}  // namespace
}  // namespace tidemark
