// What surrounds update(): options and settings, the request, abilities, cancellation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/plugin_sdk/script.h"

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tidemark::Config;
using tidemark::Sink;
using tidemark::UpdateRequest;

absl::Status Nothing(const UpdateRequest&, Sink&) { return absl::OkStatus(); }

TEST(PluginTable, SaysWhatTheExportSays) {
  const tidemark_plugin& p = *tidemark_plugin_entry_v1();
  EXPECT_EQ(&p, tidemark_plugin_entry_v1());
  EXPECT_EQ(p.struct_size, sizeof(tidemark_plugin));
  EXPECT_EQ(p.abi_version, TIDEMARK_ABI_VERSION);
  EXPECT_STREQ(p.id, "script");
  EXPECT_STREQ(p.version, "1.2.3");
  EXPECT_STREQ(p.description, "what a test says");
  EXPECT_EQ(p.capabilities, uint64_t{TIDEMARK_CAN_REWIND | TIDEMARK_NEEDS_NETWORK});
  EXPECT_EQ(p.state_format, 7u);
  ASSERT_EQ(p.option_count, 6u);
  EXPECT_STREQ(p.options[0].default_value, "10");
  EXPECT_EQ(p.options[0].flags, 0u);
  EXPECT_EQ(p.options[0].choices, nullptr);
  EXPECT_STREQ(p.options[3].choices[1], "slow");
  EXPECT_EQ(p.options[3].choices[2], nullptr);
  EXPECT_EQ(p.options[4].flags, uint32_t{TIDEMARK_OPTION_SECRET});
  EXPECT_EQ(p.options[4].default_value, nullptr);
  EXPECT_STREQ(p.options[5].json_schema, "{\"type\":\"array\"}");
}

TEST(PluginTable, HasSlotsForTheAbilitiesOfItsClassOnly) {
  EXPECT_NE(tidemark_plugin_entry_v1()->check, nullptr);
  EXPECT_NE(tidemark_plugin_entry_v1()->acknowledged, nullptr);
  EXPECT_NE(tidemark_plugin_entry_v1()->validate_state, nullptr);
  auto hello = tidemark_testing::LoadPlugin(TIDEMARK_PLUGINS "/hello.so");
  ASSERT_TRUE(hello.ok()) << hello.status();
  EXPECT_EQ((*hello)->check, nullptr);
  EXPECT_EQ((*hello)->acknowledged, nullptr);
  EXPECT_EQ((*hello)->validate_state, nullptr);
  EXPECT_NE((*hello)->interrupt, nullptr);
}

TEST(ConfigTest, GivesSettingsAndDefaultsInTheirTypes) {
  ScriptRun run(Nothing, {{"ratio", "0.5"}, {"token", "s"}, {"paths", "[1,2]"}});
  Script::Get().create = [](const Config& c) {
    EXPECT_EQ(c.GetInt64("limit"), 10);
    EXPECT_EQ(c.GetDouble("ratio"), 0.5);
    EXPECT_EQ(c.GetDouble("limit"), 10.0);
    EXPECT_TRUE(c.GetBool("deep"));
    EXPECT_EQ(c.GetString("mode"), "fast");
    EXPECT_EQ(c.GetString("token"), "s");
    EXPECT_EQ(c.GetJson("paths"), "[1,2]");
    EXPECT_TRUE(c.Has("token"));
    return absl::OkStatus();
  };
  EXPECT_EQ(absl::OkStatus(), run.Update());
}

TEST(ConfigTest, GivesTheOtherwiseOfWhatIsNotSet) {
  ScriptRun run(Nothing);
  Script::Get().create = [](const Config& c) {
    EXPECT_FALSE(c.Has("token"));
    EXPECT_EQ(c.GetString("token", "none"), "none");
    EXPECT_EQ(c.GetDouble("ratio", 2.5), 2.5);
    EXPECT_EQ(c.GetJson("paths", "[]"), "[]");
    return absl::OkStatus();
  };
  EXPECT_EQ(absl::OkStatus(), run.Update());
}

TEST(ConfigTest, WrongTypeIsABugOfThePlugin) {
  ScriptRun run(Nothing);
  Script::Get().create = [](const Config& c) {
    EXPECT_EQ(c.GetString("limit"), "");
    return absl::OkStatus();
  };
  const absl::Status status = run.Update();
  EXPECT_TRUE(absl::IsInternal(status));
  EXPECT_EQ(status.message(), "option limit is read as another type than it is declared with");
}

TEST(Request, GivesStatesAndItsOtherFields) {
  ScriptRun run([](const UpdateRequest& r, Sink&) {
    EXPECT_EQ(r.State(), "whole");
    EXPECT_EQ(r.State("users"), "u1");
    EXPECT_EQ(r.State("users", "audit"), "a1");
    EXPECT_EQ(r.State("log"), "");
    EXPECT_EQ(r.Entry("users").cursor, "c1");
    EXPECT_EQ(r.Entry("log").version, 0u);
    EXPECT_EQ(r.entries().size(), 3u);
    EXPECT_EQ(r.connection(), "test");
    EXPECT_EQ(r.sync_id(), "sync-1");
    EXPECT_EQ(r.epoch(), 1u);
    EXPECT_EQ(r.attempt(), 1u);
    EXPECT_EQ(r.page_rows(), 1000u);
    EXPECT_EQ(r.from(), absl::InfinitePast());
    EXPECT_EQ(r.until(), absl::InfiniteFuture());
    EXPECT_FALSE(r.dry_run());
    EXPECT_FALSE(r.continuous());
    EXPECT_TRUE(r.Selected("users"));
    EXPECT_TRUE(r.Selected("not declared"));
    EXPECT_TRUE(r.ColumnSelected("users", "name"));
    return absl::OkStatus();
  });
  EXPECT_EQ(
      absl::OkStatus(),
      run.Update({{"", "", "whole", ""}, {"", "users", "u1", "c1"}, {"audit", "users", "a1"}}));
}

TEST(Request, GivesTheSelectionByName) {
  ScriptRun run([](const UpdateRequest& r, Sink&) {
    EXPECT_EQ(r.ModeOf("users"), tidemark::Mode::kFull);
    EXPECT_TRUE(r.ColumnSelected("users", "id"));
    EXPECT_FALSE(r.ColumnSelected("users", "name"));
    EXPECT_TRUE(r.ColumnSelected("users", "age"));  // beyond the given flags
    EXPECT_FALSE(r.Selected("log"));
    EXPECT_FALSE(r.Selected("defined later"));
    EXPECT_TRUE(r.dry_run());
    EXPECT_TRUE(r.continuous());
    EXPECT_EQ(r.page_rows(), 50u);
    EXPECT_EQ(r.from(), absl::FromUnixMicros(5));
    return absl::OkStatus();
  });
  const uint8_t columns[] = {1, 0};
  const tidemark_selection selections[] = {{TIDEMARK_SELECT_FULL, 2, columns},
                                           {TIDEMARK_SELECT_SKIP, 0, nullptr}};
  tidemark_update_request request = {};
  request.struct_size = sizeof(request);
  request.state_size = sizeof(tidemark_state);
  request.selection_size = sizeof(tidemark_selection);
  request.selection_count = 2;
  request.selections = selections;
  request.new_tables = TIDEMARK_SELECT_SKIP;
  request.flags = TIDEMARK_REQUEST_DRY_RUN | TIDEMARK_REQUEST_CONTINUOUS;
  request.page_rows = 50;
  request.from_us = 5;
  ASSERT_EQ(absl::OkStatus(), run.run().Open());
  EXPECT_EQ(absl::OkStatus(), run.run().Update(request));
}

TEST(Request, ArraysAreReachedByTheirStride) {
  ScriptRun run([](const UpdateRequest& r, Sink&) {
    EXPECT_EQ(r.State("users"), "u");
    EXPECT_EQ(r.State("log"), "l");
    return absl::OkStatus();
  });
  // As a host of a later minor version has it.
  struct LargerState {
    tidemark_state known;
    uint64_t appended;
  };
  LargerState states[2] = {};
  states[0].known.table = {"users", 5};
  states[0].known.body = {"u", 1};
  states[1].known.table = {"log", 3};
  states[1].known.body = {"l", 1};
  tidemark_update_request request = {};
  request.struct_size = sizeof(request);
  request.states = &states[0].known;
  request.state_size = sizeof(LargerState);
  request.state_count = 2;
  ASSERT_EQ(absl::OkStatus(), run.run().Open());
  EXPECT_EQ(absl::OkStatus(), run.run().Update(request));
}

TEST(Abilities, GetTheirCalls) {
  ScriptRun run([](const UpdateRequest&, Sink& sink) { return sink.Checkpoint("x"); });
  std::vector<uint64_t> durable;
  Script::Get().acknowledged = [&](const tidemark::Acknowledgement& a) {
    durable.push_back(a.durable);
  };
  Script::Get().check = [] { return absl::UnauthenticatedError("the token is wrong"); };
  Script::Get().validate_state = [](absl::Span<const tidemark::StateEntry> entries) {
    return absl::DataLossError(absl::StrCat(entries.size(), " ", entries[0].body));
  };
  ASSERT_EQ(absl::OkStatus(), run.Update());
  EXPECT_THAT(durable, ElementsAre(0, 1));
  EXPECT_EQ(run.run().Check(), absl::UnauthenticatedError("the token is wrong"));
  EXPECT_EQ(run.run().ValidateState({{"", "", "body"}}), absl::DataLossError("1 body"));
}

TEST(Cancellation, IsSeenByTheConnectorAndIsNoFailure) {
  ScriptRun* self = nullptr;
  bool woken = false;
  ScriptRun run([&](const UpdateRequest& r, Sink&) {
    EXPECT_FALSE(r.Cancelled());
    tidemark_plugin_entry_v1()->interrupt(self->run().connector());
    EXPECT_TRUE(r.Cancelled());
    return absl::UnavailableError("socket closed");
  });
  self = &run;
  Script::Get().interrupt = [&] { woken = true; };
  EXPECT_EQ(run.Update(), absl::CancelledError("interrupted: socket closed"));
  EXPECT_TRUE(woken);
}

TEST(Exceptions, EndAtTheBoundaryOfEachCall) {
  auto loaded = tidemark_testing::LoadPlugin(TIDEMARK_TEST_PLUGINS "/throwing.so");
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  const tidemark_plugin& plugin = **loaded;
  for (const char* where : {"none", "check", "acknowledged", "interrupt", "validate_state"}) {
    tidemark_testing::PluginRun run(plugin, {{"where", where}});
    ASSERT_EQ(absl::OkStatus(), run.Open());
    EXPECT_EQ(absl::OkStatus(), run.Update());  // acknowledges, too
    plugin.interrupt(run.connector());
    const absl::Status check = run.Check();
    EXPECT_EQ(check.ok(), std::string(where) != "check");
    const absl::Status state = run.ValidateState({{"", "", "x"}});
    EXPECT_EQ(state.ok(), std::string(where) != "validate_state");
    if (!state.ok()) {
      EXPECT_THAT(std::string(state.message()), HasSubstr("thrown in validate_state"));
    }
  }
}

}  // namespace
