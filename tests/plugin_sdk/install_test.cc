// An author's way: install the SDK, build a project of one's own against it, load the plugin.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tidemark/testing.h"

namespace {

namespace fs = std::filesystem;

// A folder of this process that is gone at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::path(::testing::TempDir()) / "tidemark_sdk_XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Runs a shell command; its output is shown if it fails.
void RunCommand(const std::string& command, const fs::path& log) {
  const int status = std::system((command + " > '" + log.string() + "' 2>&1").c_str());
  std::ifstream in(log);
  ASSERT_EQ(status, 0) << command << "\n"
                       << std::string((std::istreambuf_iterator<char>(in)),
                                      std::istreambuf_iterator<char>());
}

std::string Quoted(const fs::path& path) { return "'" + path.string() + "'"; }

TEST(InstalledSdk, BuildsAnAuthorsProjectAndItsPluginLoads) {
  const Folder folder;
  const fs::path prefix = folder.path() / "prefix";
  const fs::path project = folder.path() / "author";
  const fs::path build = folder.path() / "build";
  const fs::path log = folder.path() / "log";
  // A copy, so that nothing of this tree is reached by a relative path.
  fs::copy(TIDEMARK_OUT_OF_TREE, project);
  ASSERT_NO_FATAL_FAILURE(RunCommand(
      "cmake --install '" TIDEMARK_BUILD "' --component plugin_sdk --prefix " + Quoted(prefix),
      log));
  ASSERT_TRUE(fs::exists(prefix / "include/tidemark/plugin_abi.h"));
  for (const auto& file : fs::recursive_directory_iterator(prefix)) {
    EXPECT_EQ(file.path().string().find("server"), std::string::npos) << file.path();
  }
  ASSERT_NO_FATAL_FAILURE(
      RunCommand("cmake -S " + Quoted(project) + " -B " + Quoted(build) +
                     " -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_PREFIX_PATH=" + Quoted(prefix),
                 log));
  ASSERT_NO_FATAL_FAILURE(RunCommand("cmake --build " + Quoted(build), log));
  ASSERT_NO_FATAL_FAILURE(RunCommand("ctest --test-dir " + Quoted(build), log));
  // The prefix is given up first: a plugin needs nothing of the SDK at run time.
  fs::remove_all(prefix);
  auto plugin = tidemark_testing::LoadPlugin((build / "squares.so").string());
  ASSERT_TRUE(plugin.ok()) << plugin.status();
  EXPECT_STREQ((*plugin)->id, "io.example.squares");
  EXPECT_EQ("", tidemark_testing::Failures(
                    tidemark_testing::RunConformance(**plugin, {{"limit", "2500"}})));
}

TEST(PluginFiles, ExportTheEntryOnly) {
  for (const char* file : {TIDEMARK_PLUGINS "/hello.so", TIDEMARK_PLUGINS "/generator.so",
                           TIDEMARK_TEST_PLUGINS "/counting_c.so"}) {
    const Folder folder;
    const fs::path log = folder.path() / "symbols";
    ASSERT_NO_FATAL_FAILURE(RunCommand(std::string("nm -D --defined-only -j '") + file + "'", log));
    std::ifstream in(log);
    std::string first, second;
    std::getline(in, first);
    EXPECT_EQ(first, TIDEMARK_ENTRY_SYMBOL) << file;
    EXPECT_FALSE(std::getline(in, second)) << file << " also exports " << second;
  }
}

}  // namespace
