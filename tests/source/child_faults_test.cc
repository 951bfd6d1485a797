// Whatever happens to a plugin's process: the error names the plugin and what happened, and nothing
// is left behind.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/mutex.h"
#include "source/connector_launch.h"
#include "tests/source/event_text.h"
#include "tests/source/polling.h"
#include "tests/source/proc_scan.h"
#include "tests/source/test_settings.h"

namespace tidemark {
namespace {

const std::string kMisbehaving = TIDEMARK_TEST_PLUGINS "/misbehaving.so";

bool Vanishes(pid_t session) {
  return Eventually([session] { return SessionMembers(session).empty(); });
}

class ChildFaultsTest : public testing::Test {
 protected:
  ChildFaultsTest() {
    launch_.label = "plugin misbehaving";
    launch_.limits.interrupt = absl::Seconds(10);
    launch_.log = [this](int, absl::string_view line) {
      MutexLock lock(mutex_);
      lines_.emplace_back(line);
    };
  }
  ~ChildFaultsTest() override { ExpectNothingLeft(); }

  void Launch(const std::string& mode, int64_t amount = 0, int64_t after_rows = 10) {
    launch_.settings = ToSettings({{"mode", mode}, {"amount", amount}, {"after_rows", after_rows}});
    absl::StatusOr<std::unique_ptr<ChangeSource>> source =
        LaunchChild(launch_, {TIDEMARK_PLUGIN_HOST, kMisbehaving});
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
    const std::vector<pid_t> children = OwnChildren();
    ASSERT_EQ(children.size(), 1u);
    child_ = children[0];
    EXPECT_EQ(SessionMembers(child_), children);  // it leads a session
  }

  void Start() {
    absl::StatusOr<std::vector<TableSchema>> tables = source_->Schema();
    ASSERT_TRUE(tables.ok()) << tables.status();
    UpdateStart start;
    start.selections.resize(tables->size());
    ASSERT_TRUE(source_->Start(start).ok());
  }

  void ExpectFailure(const absl::Status& status, absl::StatusCode code,
                     const std::vector<std::string>& words) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_TRUE(IsTransportFailure(status)) << status;
    EXPECT_TRUE(absl::StrContains(status.message(), "plugin misbehaving")) << status;
    for (const std::string& word : words) {
      EXPECT_TRUE(absl::StrContains(status.message(), word)) << status << "\nlacks " << word;
    }
  }

  void ExpectNothingLeft() {
    source_ = nullptr;
    EXPECT_EQ(OwnChildren(), std::vector<pid_t>{});
    if (child_ > 0) {
      EXPECT_TRUE(Vanishes(child_));
    }
    EXPECT_EQ(ThreadsNamed("tm-child"), 0u);
  }

  ConnectorLaunch launch_;
  Mutex mutex_;
  std::vector<std::string> lines_;
  std::unique_ptr<ChangeSource> source_;
  pid_t child_ = 0;
};

// ---- it ends by itself ----

struct End {
  const char* mode;
  int64_t amount;
  std::vector<std::string> words;
};

class ChildEndsTest : public ChildFaultsTest, public testing::WithParamInterface<End> {};

TEST_P(ChildEndsTest, InUpdate) {
  Launch(GetParam().mode, GetParam().amount);
  Start();
  const Drained drained = DrainEvents(*source_);
  // What came before it comes first. Of what gRPC had not written yet nobody knows.
  ASSERT_LE(drained.events.size(), 2u);
  if (drained.events.size() == 2) {
    EXPECT_EQ(drained.events[1], "checkpoint 1 '10' 0=10");
  }
  ExpectFailure(drained.status, absl::StatusCode::kAborted, GetParam().words);
  EXPECT_EQ(source_->Close(), drained.status);
}

INSTANTIATE_TEST_SUITE_P(
    Ends, ChildEndsTest,
    testing::Values(End{"abort", 0, {"killed by SIGABRT", "misbehaving: about to abort", "Update"}},
                    End{"segfault", 0, {"killed by SIGSEGV"}}, End{"exit", 3, {"exit status 3"}},
                    End{"exit", 0, {"exit status 0"}}),
    [](const auto& end) { return absl::StrCat(end.param.mode, end.param.amount); });

TEST_F(ChildFaultsTest, KilledInUpdate) {
  Launch("hang");
  Start();
  ASSERT_TRUE(source_->Next(absl::InfiniteFuture()).ok());
  ASSERT_EQ(kill(child_, SIGKILL), 0);
  ExpectFailure(DrainEvents(*source_).status, absl::StatusCode::kAborted,
                {"killed by SIGKILL", "Update"});
}

TEST_F(ChildFaultsTest, AbortInSchemaAndInCreate) {
  Launch("abort_schema");
  ExpectFailure(source_->Schema().status(), absl::StatusCode::kAborted,
                {"killed by SIGABRT", "Schema"});
  ExpectNothingLeft();
  Launch("abort_create");
  EXPECT_TRUE(source_->Describe().ok());
  ExpectFailure(source_->Check(), absl::StatusCode::kAborted, {"killed by SIGABRT", "Check"});
}

// ---- it hangs ----

TEST_F(ChildFaultsTest, HangsPastTheDeadlineOfACall) {
  launch_.limits.check = absl::Milliseconds(300);
  launch_.limits.schema = absl::Milliseconds(300);
  Launch("hang_check");
  ExpectFailure(source_->Check(), absl::StatusCode::kDeadlineExceeded,
                {"did not answer Check within 300ms"});
  ExpectNothingLeft();
  for (const char* mode : {"hang_schema", "hang_create"}) {
    Launch(mode);
    ExpectFailure(source_->Schema().status(), absl::StatusCode::kDeadlineExceeded,
                  {"did not answer Schema within 300ms"});
    const absl::Time begin = absl::Now();
    ExpectNothingLeft();
    EXPECT_LT(absl::Now() - begin, absl::Seconds(9)) << "it had its time";
  }
}

TEST_F(ChildFaultsTest, HangsOrSpinsInUpdate) {
  launch_.limits.stall = absl::Milliseconds(300);
  for (const char* mode : {"hang", "spin"}) {
    Launch(mode);
    Start();
    const Drained drained = DrainEvents(*source_);
    EXPECT_EQ(drained.events.size(), 2u);
    ExpectFailure(drained.status, absl::StatusCode::kDeadlineExceeded,
                  {"sent nothing within 300ms"});
    ExpectNothingLeft();
  }
}

TEST_F(ChildFaultsTest, HangsInTheEnd) {
  launch_.limits.interrupt = absl::Milliseconds(300);
  Launch("hang_destroy");
  Start();
  const Drained drained = DrainEvents(*source_);
  EXPECT_TRUE(drained.status.ok()) << drained.status;
  ExpectFailure(source_->Close(), absl::StatusCode::kDeadlineExceeded, {"within 300ms"});
}

TEST_F(ChildFaultsTest, IgnoresThatItWasCancelled) {
  launch_.limits.interrupt = absl::Seconds(2);
  Launch("ignore_cancel");
  Start();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(source_->Next(absl::InfiniteFuture()).ok());
  const absl::Time begin = absl::Now();
  source_->Cancel();
  ExpectFailure(source_->Next(absl::InfiniteFuture()).status(), absl::StatusCode::kCancelled, {});
  EXPECT_LT(absl::Now() - begin, absl::Seconds(2)) << "Next waits for nobody";
  ExpectNothingLeft();
  EXPECT_GE(absl::Now() - begin, absl::Seconds(2)) << "it has its time";
  EXPECT_LT(absl::Now() - begin, absl::Seconds(20));
}

// ---- it takes too much ----

TEST_F(ChildFaultsTest, FloodsStderr) {
  Launch("flood_stderr", 3'000'000);
  Start();
  const Drained drained = DrainEvents(*source_);
  ExpectFailure(drained.status, absl::StatusCode::kInternal,
                {"flooded its stderr", "at most 64 MiB", "####"});
  ExpectNothingLeft();
  EXPECT_GT(lines_.size(), 900u);
  EXPECT_LT(lines_.size(), 10'000u);
}

TEST_F(ChildFaultsTest, ALittleStderrIsNoFault) {
  Launch("flood_stderr", 500);
  Start();
  EXPECT_TRUE(DrainEvents(*source_).status.ok());
  EXPECT_EQ(source_->Close(), absl::OkStatus());
  ASSERT_EQ(lines_.size(), 500u);
  EXPECT_EQ(lines_[499], absl::StrCat("0000000499 ", std::string(68, '#')));
}

TEST_F(ChildFaultsTest, ExceedsItsMemory) {
  launch_.limits.memory_bytes = uint64_t{200} << 20;
  Launch("eat_memory", 800);
  Start();
  ExpectFailure(DrainEvents(*source_).status, absl::StatusCode::kResourceExhausted,
                {"MiB of memory", "the limit is 200 MiB"});
}

// ---- nothing is left behind ----

TEST_F(ChildFaultsTest, WhatThePluginStartedEndsWithIt) {
  launch_.sandbox.enabled = false;  // or it could not start anything
  Launch("leave_child");
  Start();
  EXPECT_TRUE(DrainEvents(*source_).status.ok());
  EXPECT_EQ(SessionMembers(child_).size(), 2u);
  EXPECT_EQ(source_->Close(), absl::OkStatus());
  EXPECT_TRUE(Vanishes(child_));
}

TEST_F(ChildFaultsTest, ManyInstancesLeaveNoDescriptorAndNoThread) {
  for (int i = 0; i < 3; ++i) {  // gRPC's own come first
    Launch("none");
    Start();
    ASSERT_TRUE(DrainEvents(*source_).status.ok());
    ASSERT_EQ(source_->Close(), absl::OkStatus());
    source_ = nullptr;
  }
  const size_t before = OpenDescriptors();
  for (int i = 0; i < 10; ++i) {
    Launch(i % 2 == 0 ? "abort" : "none");
    Start();
    DrainEvents(*source_);
    if (i % 3 != 0) source_->Close().IgnoreError();  // half of them died
    source_ = nullptr;
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

TEST_F(ChildFaultsTest, AnUnusedInstanceEndsAtOnce) {
  const absl::Time begin = absl::Now();
  Launch("none");
  ExpectNothingLeft();
  EXPECT_LT(absl::Now() - begin, absl::Seconds(9));
}

// The parent is a program of its own, killed -9 in the middle of a sync.
class KilledParentTest : public testing::TestWithParam<const char*> {};

TEST_P(KilledParentTest, TakesItsPluginsAlong) {
  int out[2];
  ASSERT_EQ(pipe(out), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  std::string program = TIDEMARK_LAUNCHING_PARENT;
  std::string host = TIDEMARK_PLUGIN_HOST;
  std::string plugin = kMisbehaving;
  std::string mode = GetParam();
  char* argv[] = {program.data(), host.data(), plugin.data(), mode.data(), nullptr};
  pid_t parent = 0;
  ASSERT_EQ(posix_spawn(&parent, program.c_str(), &actions, nullptr, argv, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  char text[32] = {};
  ASSERT_GT(read(out[0], text, sizeof(text) - 1), 0) << "the parent failed";
  close(out[0]);
  const pid_t session = atoi(text);
  ASSERT_GT(session, 0);
  EXPECT_FALSE(SessionMembers(session).empty());
  ASSERT_EQ(kill(parent, SIGKILL), 0);
  ASSERT_EQ(waitpid(parent, nullptr, 0), parent);
  EXPECT_TRUE(Vanishes(session));
}

INSTANTIATE_TEST_SUITE_P(Modes, KilledParentTest,
                         testing::Values("hang", "spin", "ignore_cancel", "leave_child"),
                         [](const auto& mode) { return std::string(mode.param); });

// ---- it cannot be started ----

TEST_F(ChildFaultsTest, WhatCannotBeStartedIsNamed) {
  const std::string file = (std::filesystem::temp_directory_path() /
                            absl::StrCat("tidemark_no_plugin_", getpid(), ".so"))
                               .string();
  absl::StatusOr<std::unique_ptr<ChangeSource>> source =
      LaunchChild(launch_, {TIDEMARK_PLUGIN_HOST, file});
  EXPECT_EQ(source.status().code(), absl::StatusCode::kNotFound) << source.status();
  EXPECT_TRUE(absl::StrContains(source.status().message(), file)) << source.status();
  source = LaunchChild(launch_, {"/nonexistent/host", kMisbehaving});
  EXPECT_EQ(source.status().code(), absl::StatusCode::kNotFound) << source.status();
  EXPECT_TRUE(absl::StrContains(source.status().message(), "/nonexistent/host"));
  // A file that is no library.
  std::ofstream(file) << "text\n";
  source = LaunchChild(launch_, {TIDEMARK_PLUGIN_HOST, file});
  ASSERT_TRUE(source.ok()) << source.status();
  const absl::Status status = (*source)->Describe().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "plugin misbehaving")) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), file)) << status;
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace tidemark
