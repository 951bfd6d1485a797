#include <cstdio>
#include <string>

#include "tidemark/plugin_abi.h"
#include "tidemark/testing.h"

extern "C" const tidemark_plugin* tidemark_plugin_entry_v1();

// Tries the rules of the plugin interface: resume from every checkpoint, cancel at every row, ...
int main() {
  const std::string failures = tidemark_testing::Failures(
      tidemark_testing::RunConformance(*tidemark_plugin_entry_v1(), {{"limit", "5"}}));
  std::printf("%s\n", failures.empty() ? "every rule holds" : failures.c_str());
  return failures.empty() ? 0 : 1;
}
