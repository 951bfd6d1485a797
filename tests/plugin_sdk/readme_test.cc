// The SDK's README shows code that is built and run: that of the out-of-tree project.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace {

std::string Read(const std::string& path) {
  std::ifstream in(path);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

TEST(Readme, ShowsOnlyCodeThatIsTested) {
  const std::string readme = Read(TIDEMARK_SDK "/README.md");
  const std::string project = Read(TIDEMARK_OUT_OF_TREE "/squares.cc") +
                              Read(TIDEMARK_OUT_OF_TREE "/CMakeLists.txt") +
                              Read(TIDEMARK_OUT_OF_TREE "/squares_test.cc");
  int blocks = 0;
  for (size_t begin = 0; (begin = readme.find("```", begin)) != std::string::npos; ++blocks) {
    begin = readme.find('\n', begin) + 1;
    const size_t end = readme.find("```", begin);
    ASSERT_NE(end, std::string::npos);
    const std::string block = readme.substr(begin, end - begin);
    EXPECT_NE(project.find(block), std::string::npos) << "not in the project:\n" << block;
    begin = end + 3;
  }
  EXPECT_EQ(blocks, 3);
}

}  // namespace
