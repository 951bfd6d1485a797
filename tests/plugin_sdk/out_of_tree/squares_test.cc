#include <cstdio>

#include "tidemark/testing.h"

int main() {
  const std::string failures = tidemark_testing::Failures(
      tidemark_testing::RunConformance(*tidemark_plugin_entry_v1(), {{"limit", "100"}}));
  std::fputs(failures.c_str(), stderr);
  return failures.empty() ? 0 : 1;
}
