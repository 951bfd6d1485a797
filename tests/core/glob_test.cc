#include "core/glob.h"

#include <gtest/gtest.h>

namespace tidemark {
namespace {

TEST(GlobTest, MatchesTheWholeText) {
  struct Case {
    const char* pattern;
    const char* text;
    bool matches;
  };
  const Case cases[] = {{"user", "user", true},   {"user", "users", false},
                        {"user*", "users", true}, {"*", "", true},
                        {"*a*b", "xaxxb", true},  {"*a*b", "xaxxbc", false},
                        {"u?er", "user", true},   {"u?er", "uer", false},
                        {"**", "x", true},        {"a*b*c", "abbbcbc", true},
                        {"", "", true},           {"", "a", false}};
  for (const Case& c : cases) {
    EXPECT_EQ(GlobMatches(c.pattern, c.text), c.matches) << c.pattern << " against " << c.text;
  }
}

TEST(GlobTest, KnowsWildcards) {
  EXPECT_TRUE(IsGlob("orders*"));
  EXPECT_TRUE(IsGlob("o?ders"));
  EXPECT_FALSE(IsGlob("orders"));
}

}  // namespace
}  // namespace tidemark
