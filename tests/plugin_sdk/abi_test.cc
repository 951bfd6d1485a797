// The C ABI: its frozen layout (asserted while compiling the sources under frozen/), and a plugin
// that was built against the released header.
#include <gtest/gtest.h>

#include "tidemark/plugin_abi.h"
#include "tidemark/testing.h"

namespace {

TEST(Abi, PluginBuiltAgainstTheReleasedHeaderRuns) {
  auto plugin = tidemark_testing::LoadPlugin(TIDEMARK_TEST_PLUGINS "/counting_abi_1_0.so");
  ASSERT_TRUE(plugin.ok()) << plugin.status();
  EXPECT_EQ((*plugin)->abi_version, 1u << 16);
  EXPECT_EQ("", tidemark_testing::Failures(tidemark_testing::RunConformance(**plugin, {})));
}

TEST(Abi, HasLooksAtTheSizeThatWasGiven) {
  tidemark_batch batch = {};
  batch.struct_size = sizeof(batch);
  EXPECT_TRUE(TIDEMARK_HAS(tidemark_batch, &batch, before));
  batch.struct_size = offsetof(tidemark_batch, before);
  EXPECT_FALSE(TIDEMARK_HAS(tidemark_batch, &batch, before));
  EXPECT_TRUE(TIDEMARK_HAS(tidemark_batch, &batch, before_rows));
  batch.struct_size = sizeof(batch) + 8;  // a newer one
  EXPECT_TRUE(TIDEMARK_HAS(tidemark_batch, &batch, before));
}

TEST(Abi, EntrySymbolNamesTheMajor) {
  EXPECT_STREQ(TIDEMARK_ENTRY_SYMBOL, "tidemark_plugin_entry_v1");
  EXPECT_EQ(TIDEMARK_ABI_VERSION >> 16, 1u);
}

}  // namespace
