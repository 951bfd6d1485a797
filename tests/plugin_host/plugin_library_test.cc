// Loading: what is a plugin, and in which words everything else is refused.
#include "plugin_host/plugin_library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "tests/plugin_host/connector_client.h"

namespace tidemark {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

absl::Status OpenError(const std::string& path) { return PluginLibrary::Open(path).status(); }

TEST(PluginLibraryTest, LoadsAPluginInPlainC) {
  const auto library = PluginLibrary::Open(TestPlugin("counting_c"));
  ASSERT_TRUE(library.ok()) << library.status();
  const ConnectorDescription& description = (*library)->description();
  EXPECT_EQ(description.id, "counting_c");
  EXPECT_EQ(description.description, "Numbers and their squares, in plain C");
  EXPECT_EQ(description.capabilities, uint64_t{kCanRewind});
  ASSERT_EQ(description.options.size(), 4u);
  EXPECT_EQ(description.options[0].default_value, "1000");
  EXPECT_EQ(description.options[2].choices, (std::vector<std::string>{"one", "dozen"}));
  EXPECT_TRUE(description.options[3].secret);
  EXPECT_FALSE(description.options[3].required);
}

TEST(PluginLibraryTest, FillsOptionalFunctionsThatAreLeftOut) {
  const auto library = PluginLibrary::Open(TestPlugin("misbehaving"));
  ASSERT_TRUE(library.ok()) << library.status();
  const tidemark_plugin& table = (*library)->table();
  EXPECT_EQ(table.validate_state(nullptr, nullptr, 0, 0, nullptr), TIDEMARK_OK);
  table.interrupt(nullptr);
  table.acknowledged(nullptr, nullptr);
  EXPECT_EQ(table.extension("any"), nullptr);
}

TEST(PluginLibraryTest, LoadsAPluginOfANewerMinorVersion) {
  EXPECT_EQ(OpenError(TestPlugin("newer_minor")), absl::OkStatus());
}

TEST(PluginLibraryTest, RefusesInWordsWhatIsNoUsablePlugin) {
  struct Case {
    const char* plugin;
    const char* error;
  };
  const Case cases[] = {
      {"abi_2_symbol",
       "it was built for plugin ABI 2, this host speaks ABI 1: update Tidemark, or build the "
       "plugin with this SDK"},
      {"abi_2_table",
       "it was built for plugin ABI 2, this host speaks ABI 1: update Tidemark, or build the "
       "plugin with this SDK"},
      {"null_table", "its entry function gave no function table"},
      {"small_table",
       "its function table has 16 bytes and ends before update(), which is required"},
      {"missing_update", "plugin broken_entry has no function update(), which is required"},
      {"bad_id", "its id must be 1 to 255 letters a-z, digits, dots, underscores or dashes"},
      {"bad_option", "options has elements of 3 bytes, must be at least 56 and a multiple of 8"},
  };
  for (const Case& c : cases) {
    const absl::Status error = OpenError(TestPlugin(c.plugin));
    EXPECT_EQ(error.code(), absl::StatusCode::kFailedPrecondition) << error;
    EXPECT_THAT(std::string(error.message()),
                StartsWith("cannot load plugin " + TestPlugin(c.plugin) + ": "));
    EXPECT_THAT(std::string(error.message()), HasSubstr(c.error));
  }
}

TEST(PluginLibraryTest, RefusesWhatIsNoLibrary) {
  EXPECT_EQ(OpenError("/nowhere/x.so"),
            absl::NotFoundError("cannot load plugin /nowhere/x.so: No such file or directory"));
  char path[] = "/tmp/plugin_library_testXXXXXX";
  const int fd = mkstemp(path);
  ASSERT_GE(fd, 0);
  constexpr char kText[] = "#!/bin/sh\necho not a library\n";
  ASSERT_EQ(write(fd, kText, sizeof(kText)), static_cast<ssize_t>(sizeof(kText)));
  close(fd);
  const absl::Status error = OpenError(path);
  unlink(path);
  EXPECT_EQ(error.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(error.message()), HasSubstr(path));
  // A library that is no plugin.
  const absl::Status other = OpenError(TIDEMARK_NO_PLUGIN);
  EXPECT_THAT(std::string(other.message()),
              HasSubstr("it is not a Tidemark plugin: it does not export tidemark_plugin_entry"));
}

}  // namespace
}  // namespace tidemark
