// Commands as alert channels: real programs, without a shell.
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "absl/strings/numbers.h"
#include "core/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/destination/destination_fixture.h"
#include "web/alert_channels.h"

namespace tidemark {
namespace {

using testing::HasSubstr;
using testing::Not;

class CommandChannelTest : public testing::Test {
 protected:
  // A script whose interpreter is a shell; the channel itself starts none.
  std::string Script(const std::string& text) {
    const std::string path = folder_ / "command";
    std::ofstream(path) << "#!/bin/sh\n" << text;
    chmod(path.c_str(), 0700);
    return path;
  }
  std::string File(const std::string& name) {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  absl::Status Send(CommandSettings settings) {
    return MakeCommandChannel(std::move(settings), &redactor_)->Send(notice_);
  }

  TemporaryFolder folder_;
  Redactor redactor_;
  AlertNotice notice_{"id7", AlertEvent::kRecovered, "sync failed", "warning", "shop", "over", 1,
                      2};
};

TEST_F(CommandChannelTest, GetsJsonArgumentsAndASmallEnvironment) {
  setenv("TIDEMARK_TEST_SECRET", "must not be seen", 1);
  const std::string script = Script("cd '" + folder_.path() + "' && cat >in && env >env && " +
                                    "for a in \"$@\"; do echo \"$a\"; done >args\n");
  CommandSettings settings{{script, "--team", "a b; touch owned"}, {{"PAGER_KEY", "k1"}}};
  ASSERT_EQ(Send(settings), absl::OkStatus());
  unsetenv("TIDEMARK_TEST_SECRET");
  const nlohmann::json json = nlohmann::json::parse(File("in"));
  EXPECT_EQ(json.at("id"), "id7");
  EXPECT_EQ(json.at("event"), "recovered");
  EXPECT_EQ(json.at("connection"), "shop");
  EXPECT_EQ(File("args"), "--team\na b; touch owned\n");
  const std::string environment = File("env");
  EXPECT_THAT(environment, HasSubstr("PAGER_KEY=k1\n"));
  EXPECT_THAT(environment, HasSubstr("TIDEMARK_EVENT=recovered\n"));
  EXPECT_THAT(environment, HasSubstr("TIDEMARK_RULE=sync failed\n"));
  EXPECT_THAT(environment, Not(HasSubstr("TIDEMARK_TEST_SECRET")));
  EXPECT_THAT(environment, Not(HasSubstr("HOME=")));
  EXPECT_EQ(File("owned"), "");
}

TEST_F(CommandChannelTest, NeedsNotReadItsInput) {
  notice_.text = std::string(1'000'000, 'x');
  EXPECT_EQ(Send({{Script("exit 0\n")}, {}}), absl::OkStatus());
}

TEST_F(CommandChannelTest, AFailureTellsWhatItWroteWithoutSecrets) {
  redactor_.AddSecret("hunter2hunter2");
  const absl::Status sent =
      Send({{Script("echo 'no route: hunter2hunter2' >&2; echo hidden; exit 3\n")}, {}});
  EXPECT_EQ(sent.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(sent.message()), HasSubstr("ended with code 3: no route: ***"));
  EXPECT_THAT(std::string(sent.message()), Not(HasSubstr("hidden")));
}

TEST_F(CommandChannelTest, FloodsOfErrorsAreCut) {
  const absl::Status sent =
      Send({{Script("head -c 3000000 /dev/zero | tr '\\0' 'e' >&2; exit 1\n")}, {}});
  EXPECT_EQ(sent.code(), absl::StatusCode::kUnavailable);
  EXPECT_LT(sent.message().size(), 3000U);
}

TEST_F(CommandChannelTest, IsKilledWithItsChildrenAfterItsTime) {
  CommandSettings settings{
      {Script("sleep 600 & echo $! >'" + (folder_ / "child") + "'; trap '' TERM; wait\n")}, {}};
  settings.timeout = absl::Milliseconds(700);
  const absl::Duration began = Clock::Real().Monotonic();
  const absl::Status sent = Send(settings);
  EXPECT_EQ(sent.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(sent.message()), HasSubstr("was killed after 700ms"));
  EXPECT_LT(Clock::Real().Monotonic() - began, absl::Seconds(20));
  int child = 0;
  ASSERT_TRUE(absl::SimpleAtoi(File("child").substr(0, File("child").find('\n')), &child));
  const int ended = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  if (ended >= 0) {  // not even reaped
    pollfd wait = {ended, POLLIN, 0};
    EXPECT_EQ(poll(&wait, 1, 30'000), 1);
    close(ended);
  }
}

TEST_F(CommandChannelTest, AChildThatKeepsTheErrorsOpenHoldsNothingUp) {
  CommandSettings settings{{Script("sleep 600 &\nexit 0\n")}, {}};
  settings.timeout = absl::Seconds(30);
  const absl::Duration began = Clock::Real().Monotonic();
  EXPECT_EQ(Send(settings), absl::OkStatus());
  EXPECT_LT(Clock::Real().Monotonic() - began, absl::Seconds(20));
}

TEST_F(CommandChannelTest, WhatCannotBeStartedIsNotTriedAgain) {
  EXPECT_EQ(Send({{folder_ / "missing"}, {}}).code(), absl::StatusCode::kFailedPrecondition);
}

// Signals that the server ignores are not ignored by the command.
TEST_F(CommandChannelTest, HasDefaultSignals) {
  signal(SIGPIPE, SIG_IGN);
  const absl::Status sent = Send({{Script("kill -s PIPE $$; exit 0\n")}, {}});
  signal(SIGPIPE, SIG_DFL);
  EXPECT_THAT(std::string(sent.message()), HasSubstr("ended by signal 13"));
}

}  // namespace
}  // namespace tidemark
