// The conformance kit passes good plugins and fails each kind of bad one.
#include <gtest/gtest.h>

#include <string>

#include "tidemark/testing.h"

namespace {

using tidemark_testing::Failures;
using tidemark_testing::LoadPlugin;
using tidemark_testing::RunConformance;

const tidemark_plugin& Plugin(const std::string& file) {
  auto plugin = LoadPlugin(file);
  EXPECT_TRUE(plugin.ok()) << plugin.status();
  return **plugin;
}

TEST(Conformance, HelloConforms) {
  EXPECT_EQ("", Failures(RunConformance(Plugin(TIDEMARK_PLUGINS "/hello.so"), {})));
}

TEST(Conformance, PluginInPlainCConforms) {
  const tidemark_plugin& plugin = Plugin(TIDEMARK_TEST_PLUGINS "/counting_c.so");
  EXPECT_EQ("", Failures(RunConformance(plugin, {{"rows", "950"}})));
  EXPECT_EQ("", Failures(RunConformance(
                    plugin, {{"rows", "20"}, {"checkpoint_interval", "1"}, {"password", "pw"}})));
}

struct Bad {
  const char* mode;
  const char* words;  // in the failure
};

class BadPlugin : public ::testing::TestWithParam<Bad> {};

TEST_P(BadPlugin, FailsWithWords) {
  const std::string failures = Failures(
      RunConformance(Plugin(TIDEMARK_TEST_PLUGINS "/misbehaving.so"), {{"mode", GetParam().mode}}));
  EXPECT_NE(failures.find(GetParam().words), std::string::npos) << failures;
}

INSTANTIATE_TEST_SUITE_P(
    Conformance, BadPlugin,
    ::testing::Values(
        Bad{"bad_utf8", "not UTF-8"}, Bad{"unknown_op", "unknown op 77"},
        Bad{"wrong_table", "unknown table 12345"}, Bad{"too_many_rows", "65536"},
        Bad{"unchanged_in_upsert", "leaves column 1 unchanged"},
        Bad{"batch_small", "tidemark_batch is too small"}, Bad{"other_thread", "another thread"},
        Bad{"create_null", "without a connector"}, Bad{"create_fails", "create fails as asked"},
        Bad{"schema_null", "gave no schema"}, Bad{"schema_bad_type", "unknown type"},
        Bad{"schema_twice_same_table", "two tables are called t"},
        Bad{"define_long_name", "longer than 255"}, Bad{"state_too_large", "larger than 10 MiB"},
        Bad{"state_of_unknown_table", "unknown table nobody"},
        Bad{"checkpoint_empty", "has no state"}, Bad{"fail", "failed as asked"}),
    [](const auto& tested) { return tested.param.mode; });

TEST(Conformance, DamagedStateMustBeRefused) {
  // misbehaving parses its state with atoll: garbage is 0 to it.
  const std::string failures =
      Failures(RunConformance(Plugin(TIDEMARK_TEST_PLUGINS "/misbehaving.so"), {}));
  EXPECT_NE(failures.find("goes on from a damaged state"), std::string::npos) << failures;
}

TEST(Conformance, BrokenTablesFail) {
  for (const char* name :
       {"small_table", "missing_update", "abi_2_table", "bad_id", "bad_option"}) {
    const std::string file = std::string(TIDEMARK_TEST_PLUGINS "/") + name + ".so";
    EXPECT_NE("", Failures(RunConformance(Plugin(file), {}))) << name;
  }
  EXPECT_FALSE(LoadPlugin(TIDEMARK_TEST_PLUGINS "/null_table.so").ok());
  EXPECT_FALSE(LoadPlugin(TIDEMARK_TEST_PLUGINS "/abi_2_symbol.so").ok());
  EXPECT_EQ("", Failures(RunConformance(Plugin(TIDEMARK_TEST_PLUGINS "/newer_minor.so"), {})));
}

TEST(Conformance, ExceptionsEndAsInternalWithTheirText) {
  const tidemark_plugin& plugin = Plugin(TIDEMARK_TEST_PLUGINS "/throwing.so");
  for (const char* where : {"create", "schema", "update"}) {
    const std::string failures = Failures(RunConformance(plugin, {{"where", where}}));
    const std::string words = std::string("INTERNAL: exception: thrown in ") + where;
    EXPECT_NE(failures.find(words), std::string::npos) << failures;
  }
  const std::string failures = Failures(RunConformance(plugin, {{"where", "update_int"}}));
  EXPECT_NE(failures.find("exception of an unknown type"), std::string::npos) << failures;
}

}  // namespace
