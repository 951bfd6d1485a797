// What of the environment reaches a plugin's process.
#include "source/child_environment.h"

#include <stdlib.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tidemark {
namespace {

using ::testing::Contains;
using ::testing::Not;

class ChildEnvironmentTest : public testing::Test {
 protected:
  ChildEnvironmentTest() {
    for (const auto& [name, value] : kGiven) setenv(name, value, 1);
  }
  ~ChildEnvironmentTest() override {
    for (const auto& [name, value] : kGiven) unsetenv(name);
  }

  static constexpr std::pair<const char*, const char*> kGiven[] = {
      {"TIDEMARK_MASTER_KEY", "hunter2"},
      {"AWS_SECRET_ACCESS_KEY", "hunter2"},
      {"PGPASSWORD", "hunter2"},
      {"HOME", "/root"},
      {"https_proxy", "http://p:3128"},
      {"LC_TIME", "de_DE"},
      {"TZ", "Europe/Berlin"},
      {"TMPDIR", "/tmp"}};
};

TEST_F(ChildEnvironmentTest, OnlyWhatAPluginNeeds) {
  SandboxPolicy policy;
  policy.scratch = "/scratch";
  const std::vector<std::string> environment = ChildEnvironment(policy);
  EXPECT_THAT(environment, Contains("LC_TIME=de_DE"));
  EXPECT_THAT(environment, Contains("TZ=Europe/Berlin"));
  EXPECT_THAT(environment, Contains("TMPDIR=/scratch"));
  EXPECT_THAT(environment, Not(Contains("TMPDIR=/tmp")));
  EXPECT_THAT(environment, Not(Contains("https_proxy=http://p:3128")));
  for (const std::string& line : environment) {
    EXPECT_EQ(line.find("hunter2"), std::string::npos) << line;
    EXPECT_NE(line, "HOME=/root");
  }
  policy.network = true;
  EXPECT_THAT(ChildEnvironment(policy), Contains("https_proxy=http://p:3128"));
}

TEST_F(ChildEnvironmentTest, WithoutASandboxAllOfIt) {
  const SandboxPolicy off{.enabled = false};
  EXPECT_THAT(ChildEnvironment(off), Contains("PGPASSWORD=hunter2"));
  EXPECT_THAT(ChildEnvironment(off), Contains("TMPDIR=/tmp"));
}

}  // namespace
}  // namespace tidemark
