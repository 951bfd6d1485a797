// Which files and whether the network open for a plugin, from what it declares and is given.
#include "control/connector_sandbox.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConnectorSandboxTest : public testing::Test {
 protected:
  ConnectorSandboxTest() {
    std::string name = (fs::temp_directory_path() / "tidemark_XXXXXX").string();
    folder_ = mkdtemp(name.data());
    fs::create_directory(folder_ + "/rows");
    std::ofstream(folder_ + "/rows/a.csv") << "id\n";
    std::ofstream(folder_ + "/rows/[1].csv") << "id\n";
    description_.capabilities = kNeedsFiles;
  }
  ~ConnectorSandboxTest() override { fs::remove_all(folder_); }

  SandboxPolicy Policy(const std::string& path, bool writes) {
    description_.options.resize(2);
    description_.options[0].name = "path";
    description_.options[0].reads_path = true;
    description_.options[0].writes_path = writes;
    description_.options[1].name = "other";
    Setting given;
    given.name = "path";
    given.kind = ValueKind::kString;
    given.text = path;
    Setting other = given;
    other.name = "other";
    other.text = "/etc";
    return ConnectorSandbox(source_, description_, std::vector<Setting>{given, other});
  }

  std::string folder_;
  SourceSettings source_;
  ConnectorDescription description_;
};

TEST_F(ConnectorSandboxTest, WhatIsReadOpensAlone) {
  const struct {
    std::string path, opened;
  } cases[] = {
      {folder_ + "/rows/a.csv", folder_ + "/rows/a.csv"},
      {folder_ + "/rows", folder_ + "/rows"},
      {folder_ + "/rows/", folder_ + "/rows"},
      {"file:" + folder_ + "/rows/a.csv", folder_ + "/rows/a.csv"},
      {"file://" + folder_ + "/rows", folder_ + "/rows"},
      {folder_ + "/rows/*.csv", folder_ + "/rows"},
      {folder_ + "/r*/a.csv", folder_},
      {folder_ + "/rows/[1].csv", folder_ + "/rows/[1].csv"},  // a file of that name
      {folder_ + "/rows/../rows/a.csv", folder_ + "/rows/a.csv"},
      {folder_ + "/rows/missing.csv", folder_ + "/rows/missing.csv"},
      {"rows/a.csv", fs::current_path().string() + "/rows/a.csv"},
      {"*.csv", fs::current_path().string()},
  };
  for (const auto& test : cases) {
    const SandboxPolicy policy = Policy(test.path, false);
    EXPECT_THAT(policy.read_paths, ElementsAre(test.opened)) << test.path;
    EXPECT_THAT(policy.write_paths, IsEmpty());
    EXPECT_FALSE(policy.network);
    EXPECT_TRUE(policy.enabled);
  }
}

TEST_F(ConnectorSandboxTest, WhatIsWrittenOpensItsFolder) {
  EXPECT_THAT(Policy("sqlite:" + folder_ + "/rows/a.db", true).write_paths,
              ElementsAre(folder_ + "/rows"));
  EXPECT_THAT(Policy(folder_ + "/rows", true).write_paths, ElementsAre(folder_ + "/rows"));
  EXPECT_THAT(Policy("a.db", true).write_paths, ElementsAre(fs::current_path().string()));
}

TEST_F(ConnectorSandboxTest, TheRootNeverOpens) {
  for (const char* path : {"/", "/*", "/..", "//", "/../*.csv"}) {
    EXPECT_THAT(Policy(path, false).read_paths, IsEmpty()) << path;
  }
  EXPECT_THAT(Policy("/a.db", true).write_paths, IsEmpty());
}

TEST_F(ConnectorSandboxTest, WithoutTheCapabilityNothingOpens) {
  description_.capabilities = kNeedsNetwork | kCanRewind;
  const SandboxPolicy policy = Policy(folder_ + "/rows", false);
  EXPECT_THAT(policy.read_paths, IsEmpty());
  EXPECT_TRUE(policy.network);
  EXPECT_EQ(policy.capabilities, uint64_t{kNeedsNetwork | kCanRewind});
}

TEST_F(ConnectorSandboxTest, TheConnectionMayOpenMoreAndEndIt) {
  source_.sandbox_paths = {"/opt/lib"};
  source_.sandbox_write_paths = {"/var/cache/x"};
  const SandboxPolicy policy = Policy(folder_ + "/rows", false);
  EXPECT_THAT(policy.read_paths, ElementsAre("/opt/lib", folder_ + "/rows"));
  EXPECT_THAT(policy.write_paths, ElementsAre("/var/cache/x"));
  EXPECT_THAT(DescribingSandbox(source_).read_paths, ElementsAre("/opt/lib"));
  EXPECT_THAT(DescribingSandbox(source_).write_paths, IsEmpty());
  source_.sandbox = false;
  EXPECT_FALSE(Policy(folder_ + "/rows", false).enabled);
  EXPECT_FALSE(DescribingSandbox(source_).enabled);
  EXPECT_THAT(SandboxWarnings(Policy("", false)), IsEmpty());
}

}  // namespace
}  // namespace tidemark
