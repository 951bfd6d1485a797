// Temporary folders of plugins: gone with their owner, also with one that was killed.
#include "source/scratch_folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace tidemark {
namespace {

namespace fs = std::filesystem;

// One test: a process cleans up behind others once, with its first folder.
TEST(ScratchFolderTest, LivesAsLongAsItsOwnerAndTheNextCleansUp) {
  std::string name = (fs::temp_directory_path() / "tidemark_scratch_test_XXXXXX").string();
  const std::string parent = mkdtemp(name.data());
  setenv("TMPDIR", parent.c_str(), 1);
  const std::string left = parent + "/tidemark-scratch-killed";
  const std::string held = parent + "/tidemark-scratch-others";
  const std::string foreign = parent + "/tidemark-scratch-of-a-user";
  for (const std::string& folder : {left, held, foreign}) {
    fs::create_directory(folder);
    std::ofstream(folder + "/file") << "x";
  }
  const int other = open(held.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(flock(other, LOCK_EX), 0);

  absl::StatusOr<ScratchFolder> folder = ScratchFolder::Create();
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(fs::exists(held)) << "its server lives";
  EXPECT_TRUE(fs::exists(foreign)) << "no name of ours";

  const std::string path = folder->path();
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
  std::ofstream(path + "/file") << "x";
  fs::create_symlink(held, path + "/link");
  {
    const ScratchFolder moved = *std::move(folder);
    EXPECT_EQ(moved.path(), path);
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(fs::exists(held + "/file")) << "a link is not followed";

  setenv("TMPDIR", (parent + "/nowhere").c_str(), 1);
  EXPECT_FALSE(ScratchFolder::Create().ok());
  unsetenv("TMPDIR");
  close(other);
  fs::remove_all(parent);
}

}  // namespace
}  // namespace tidemark
