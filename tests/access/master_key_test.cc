#include "access/master_key.h"

#include <sys/stat.h>

#include <cstdlib>

#include "tests/access/access_fixture.h"

namespace tidemark {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MasterKeyTest : public AccessTest {
 protected:
  MasterKeyTest() : key_(*SecretKey::Random()) {}
  void Write(const std::string& name, const std::string& text, mode_t mode) {
    std::ofstream(Path(name), std::ios::binary) << text;
    ASSERT_EQ(chmod(Path(name).c_str(), mode), 0);
  }
  absl::StatusOr<SecretKey> Read(const std::string& source) {
    absl::StatusOr<MasterKeySource> parsed = MasterKeySource::Parse(source, folder_);
    if (!parsed.ok()) return parsed.status();
    return ReadMasterKey(*parsed);
  }

  const SecretKey key_;
};

TEST_F(MasterKeyTest, ComesFromOnePlace) {
  struct Case {
    std::string text;
    MasterKeySource::Kind kind;
    std::string name;
  };
  const Case cases[] = {
      {"", MasterKeySource::Kind::kDataFolder, Path("master.key")},
      {"file:/etc/k", MasterKeySource::Kind::kFile, "/etc/k"},
      {"env:KEY", MasterKeySource::Kind::kEnvironment, "KEY"},
      {"credential:tidemark", MasterKeySource::Kind::kCredential, "tidemark"},
  };
  for (const Case& c : cases) {
    const absl::StatusOr<MasterKeySource> parsed = MasterKeySource::Parse(c.text, folder_);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->kind, c.kind) << c.text;
    EXPECT_EQ(parsed->name, c.name) << c.text;
  }
  for (const std::string& wrong :
       {std::string("file:"), std::string("env:"), std::string("credential:../k"),
        std::string("credential:a/b"), std::string("kms:x"), key_.Hex()}) {
    const absl::StatusOr<MasterKeySource> parsed = MasterKeySource::Parse(wrong, folder_);
    EXPECT_TRUE(absl::IsInvalidArgument(parsed.status())) << wrong;
    EXPECT_THAT(std::string(parsed.status().message()), Not(HasSubstr(key_.Hex())));
  }
}

TEST_F(MasterKeyTest, OfAFileIsRefusedWhereOthersCanUseIt) {
  for (const mode_t mode : {0400, 0600}) {
    Write("key", key_.Hex() + "\n", mode);
    const absl::StatusOr<SecretKey> read = Read("file:" + Path("key"));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->Id(), key_.Id());
  }
  for (const mode_t mode : {0440, 0404, 0640, 0644, 0420, 0402, 0401, 0410}) {
    Write("key", key_.Hex(), mode);
    const absl::Status refused = Read("file:" + Path("key")).status();
    EXPECT_TRUE(absl::IsPermissionDenied(refused)) << std::oct << mode << refused;
    EXPECT_THAT(refused.message(), HasSubstr("run: chmod 0400 " + Path("key")));
  }
  if (geteuid() == 0) {  // a file of somebody else, who could replace it
    Write("key", key_.Hex(), 0400);
    ASSERT_EQ(chown(Path("key").c_str(), 4711, 4711), 0);
    EXPECT_TRUE(absl::IsPermissionDenied(Read("file:" + Path("key")).status()));
  }
}

TEST_F(MasterKeyTest, OfAFileMustBeAKeyAndAFile) {
  struct Case {
    std::string text;
    absl::StatusCode code;
  };
  const Case cases[] = {{"", absl::StatusCode::kInvalidArgument},
                        {key_.Hex().substr(1), absl::StatusCode::kInvalidArgument},
                        {std::string(257, '0'), absl::StatusCode::kInvalidArgument},
                        {std::string(32, '\1'), absl::StatusCode::kInvalidArgument}};
  for (const Case& c : cases) {
    std::filesystem::remove(Path("key"));
    Write("key", c.text, 0400);
    const absl::Status refused = Read("file:" + Path("key")).status();
    EXPECT_EQ(refused.code(), c.code) << refused;
    EXPECT_THAT(refused.message(), HasSubstr(Path("key")));
    EXPECT_THAT(std::string(refused.message()), Not(HasSubstr(key_.Hex().substr(1))));
  }
  EXPECT_TRUE(absl::IsNotFound(Read("file:" + Path("none")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Read("file:" + folder_).status()));
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0400), 0);
  EXPECT_TRUE(absl::IsInvalidArgument(Read("file:" + Path("pipe")).status()));  // does not hang
}

TEST_F(MasterKeyTest, OfTheEnvironmentIsNotHandedOn) {
  ASSERT_EQ(setenv("TIDEMARK_TEST_KEY", key_.Hex().c_str(), 1), 0);
  const char* const bytes = getenv("TIDEMARK_TEST_KEY");
  const absl::StatusOr<SecretKey> read = Read("env:TIDEMARK_TEST_KEY");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->Id(), key_.Id());
  EXPECT_EQ(getenv("TIDEMARK_TEST_KEY"), nullptr);
  EXPECT_EQ(std::string(bytes, 64), std::string(64, '0'));
  EXPECT_TRUE(absl::IsNotFound(Read("env:TIDEMARK_TEST_KEY").status()));
}

TEST_F(MasterKeyTest, OfSystemdIsReadBelowItsFolder) {
  unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_TRUE(absl::IsNotFound(Read("credential:key").status()));
  ASSERT_EQ(setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1), 0);
  EXPECT_TRUE(absl::IsNotFound(Read("credential:key").status()));
  Write("key", key_.Hex(), 0440);  // how a file with an access list looks
  const absl::StatusOr<SecretKey> read = Read("credential:key");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->Id(), key_.Id());
  Write("key", key_.Hex(), 0444);
  EXPECT_TRUE(absl::IsPermissionDenied(Read("credential:key").status()));
  unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_F(MasterKeyTest, IsWrittenForItsOwnerOnlyAndNeverOver) {
  FileSystem& files = FileSystem::Real();
  ASSERT_TRUE(WriteMasterKey(files, Path("key"), key_).ok());
  struct stat found = {};
  ASSERT_EQ(stat(Path("key").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0400);
  EXPECT_EQ(Read("file:" + Path("key"))->Id(), key_.Id());
  EXPECT_TRUE(absl::IsAlreadyExists(WriteMasterKey(files, Path("key"), *SecretKey::Random())));
  EXPECT_EQ(Read("file:" + Path("key"))->Id(), key_.Id());
  int others = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    others += entry.path().string().find(".tmp") != std::string::npos;
  }
  EXPECT_EQ(others, 0);
}

}  // namespace
}  // namespace tidemark
