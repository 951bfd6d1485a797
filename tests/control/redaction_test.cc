#include "control/redaction.h"

#include <string>

#include "gtest/gtest.h"

namespace tidemark {
namespace {

TEST(RedactorTest, HidesSecretsInEverySpelling) {
  Redactor redactor;
  redactor.AddSecret("p@ss \"word\"");
  redactor.AddSecret("p@ss");
  EXPECT_EQ(redactor.Apply("a p@ss \"word\" b"), "a *** b");
  EXPECT_EQ(redactor.Apply("?x=p%40ss%20%22word%22&y"), "?x=***&y");
  EXPECT_EQ(redactor.Apply(R"({"k": "p@ss \"word\""})"), R"({"k": "***"})");
  EXPECT_EQ(redactor.Apply("Basic cEBzcyAid29yZCI="), "Basic ***");
  EXPECT_EQ(redactor.Apply("only p@ss"), "only ***");
}

TEST(RedactorTest, HidesPasswordsOfUrls) {
  const Redactor redactor;
  EXPECT_EQ(redactor.Apply("cannot reach postgresql://me:hunter2@host:5432/db?x=1, giving up"),
            "cannot reach postgresql://me:***@host:5432/db?x=1, giving up");
  EXPECT_EQ(redactor.Apply("\"http://a:b@c:d@host/\""), "\"http://a:***@host/\"");
  EXPECT_EQ(redactor.Apply("http://host:80/a@b and https://u@h/"),
            "http://host:80/a@b and https://u@h/");
}

TEST(RedactorTest, LeavesShortTextsAlone) {
  Redactor redactor;
  redactor.AddSecret("");
  redactor.AddSecret("abc");
  EXPECT_EQ(redactor.Apply("abc"), "abc");
}

}  // namespace
}  // namespace tidemark
